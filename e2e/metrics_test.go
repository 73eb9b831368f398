//go:build unix

package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAWatchServesMetricsAndSaysWhetherItIsReady(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	watch := inPipe(t, watching(t, "--json", "--journal", "memory", "--metrics", address))
	url, _ := watch.next("ready")["url"].(string)
	if _, stderr, code := finished(t, with(program(t, "send", "task.progress", "--to", url), "ASPECT_WEBHOOK_SECRET="+secret)); code != 0 {
		t.Fatal(stderr)
	}
	if code, body := get(t, strings.TrimSuffix(url, "/webhooks/aspect")+"/readyz"); code != 200 || body != "ok" {
		t.Errorf("/readyz: %d %s", code, body)
	}
	_, body := get(t, "http://"+address+"/metrics")
	says(t, body, `aspectop_requests_total{verdict="verified"} 1`, "aspectop_append_seconds_count 1", "aspectop_journal_reachable 1", "process_resident_memory_bytes")
}

func get(t *testing.T, url string) (code int, body string) {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}
