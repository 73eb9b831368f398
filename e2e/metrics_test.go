//go:build unix

package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	metrics "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	names "github.com/prometheus/common/model"
)

func TestAWatchServesMetricsAndSaysWhetherItIsReady(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	watch := inPipe(t, watching(t, "--json", "--journal", "memory", "--metrics", address, "--forward-to", "http://127.0.0.1:9/"))
	url, _ := watch.next("ready")["url"].(string)
	if _, stderr, code := finished(t, with(program(t, "send", "task.progress", "--to", url), "ASPECT_WEBHOOK_SECRET="+secret)); code != 0 {
		t.Fatal(stderr)
	}
	if code, body := get(t, strings.TrimSuffix(url, "/webhooks/aspect")+"/readyz"); code != 200 || body != "ok" {
		t.Errorf("/readyz: %d %s", code, body)
	}
	keeps(t, url, delivery{id: "msg_ended", body: tells(upload, "task.failed", time.Now(), feature("proxy", "failed"))})
	var body string
	for end := time.Now().Add(patience); !strings.Contains(body, `aspectop_tasks{state="failed"} 1`) && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_, body = get(t, "http://"+address+"/metrics")
	}
	parser := expfmt.NewTextParser(names.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body)) // Prometheus' own
	if err != nil {
		t.Fatalf("%v in\n%s", err, body)
	}
	for name, kind := range map[string]metrics.MetricType{
		"aspectop_append_seconds": metrics.MetricType_HISTOGRAM, "aspectop_forward_waiting": metrics.MetricType_GAUGE,
		"aspectop_forwards_total": metrics.MetricType_COUNTER, "aspectop_journal_reachable": metrics.MetricType_GAUGE,
		"aspectop_rejected_not_kept_total": metrics.MetricType_COUNTER,
		"aspectop_requests_total":          metrics.MetricType_COUNTER, "aspectop_task_seconds": metrics.MetricType_HISTOGRAM,
		"aspectop_tasks": metrics.MetricType_GAUGE, "aspectop_tasks_active": metrics.MetricType_GAUGE,
		"aspectop_tasks_stalled": metrics.MetricType_GAUGE, "go_goroutines": metrics.MetricType_GAUGE,
		"process_cpu_seconds_total": metrics.MetricType_COUNTER, "process_open_fds": metrics.MetricType_GAUGE,
		"process_resident_memory_bytes": metrics.MetricType_GAUGE,
	} {
		family := families[name]
		if family == nil || family.GetType() != kind || strings.HasPrefix(name, "aspectop_") != (family.GetHelp() != "") {
			t.Errorf("%s is %v", name, family)
		}
	}
	says(t, body, `aspectop_requests_total{verdict="verified"} 2`, `aspectop_requests_total{verdict="no_match"} 0`,
		`aspectop_requests_total{verdict="wrong_path"} 0`, `aspectop_requests_total{verdict="not_http"} 0`, "aspectop_rejected_not_kept_total 0", "aspectop_journal_reachable 1",
		`aspectop_append_seconds_bucket{le="16.384"} 2`, `aspectop_append_seconds_bucket{le="+Inf"} 2`, "aspectop_append_seconds_count 2",
		`aspectop_forwards_total{outcome="delivered",to="http://127.0.0.1:9/"} 0`, `aspectop_forward_waiting{state="waiting",to="http://127.0.0.1:9/"}`,
		`aspectop_tasks{state="completed"} 0`, "aspectop_tasks_active 1", "aspectop_tasks_stalled 0",
		`aspectop_task_seconds_bucket{le="32"} 0`, `aspectop_task_seconds_bucket{le="64"} 1`, "aspectop_task_seconds_sum 60", "aspectop_task_seconds_count 1")
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
