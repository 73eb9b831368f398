//go:build unix

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// saysTo sends bytes on a connection of their own and waits until it is closed.
func saysTo(t *testing.T, address, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, text)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if answer, err := io.ReadAll(conn); len(answer) > 0 {
		t.Errorf("%.10q was answered %q, %v", text, answer, err)
	}
}

func TestWhatCameToTheWrongPlaceIsToldKeptAndShownAgain(t *testing.T) {
	t.Parallel()
	journal, url, watch := journalOf(t, some()[0])
	view := inPipe(t, program(t, "view", "--json", "--journal", journal))
	view.next("ready")
	base := strings.TrimSuffix(url, "/webhooks/aspect")
	compacted := delivery{id: "msg_spaced", body: `{"a": "\u00eb"}`}.request(t, url)
	compacted.Body, compacted.ContentLength = io.NopCloser(strings.NewReader(`{"a":"ë"}`)), 10
	get := delivery{id: "msg_get"}.request(t, url)
	get.Method = http.MethodGet
	for _, c := range []struct {
		request *http.Request
		status  int
		want    map[string]any
		hint    string
	}{
		{delivery{id: "msg_path"}.request(t, base+"/pre/webhooks/aspect?token=hidden"), 404,
			map[string]any{"id": "msg_path", "reason": "wrong_path", "path": "/pre/webhooks/aspect", "method": "POST", "evidence": nil}, "prefix"},
		{get, 405, map[string]any{"reason": "wrong_method", "path": "/webhooks/aspect", "method": "GET", "skew_seconds": nil}, "redirect"},
		{compacted, 400, map[string]any{"reason": "no_match", "evidence": "spaced_json+escaped_json", "path": nil, "method": nil}, "re-serialised"},
		{delivery{id: "msg_old", at: time.Now().Add(-time.Hour)}.request(t, url), 400,
			map[string]any{"reason": "too_old", "tolerance_seconds": 300.0, "hint": nil}, ""},
		{nil, 0, map[string]any{"id": nil, "reason": "not_http", "path": nil, "method": nil}, "send-proxy"},
	} {
		if c.request == nil {
			saysTo(t, strings.TrimPrefix(base, "http://"), "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nPOST /webhooks/aspect HTTP/1.1\r\n")
		} else if a, err := http.DefaultClient.Do(c.request); err != nil || a.StatusCode != c.status {
			t.Fatalf("answered %v, %v, want %d", a, err, c.status)
		} else {
			a.Body.Close()
		}
		for name, p := range map[string]*piped{"watch": watch, "view": view} { // view: in another process, from the journal
			line := p.next("rejected")
			for key, want := range c.want {
				if got, there := line[key]; !there || got != want {
					t.Errorf("%s: %s is %v, want %v: %v", name, key, got, want, line)
				}
			}
			if hint, _ := line["hint"].(string); !strings.Contains(hint, c.hint) || strings.Contains(fmt.Sprint(line), "hidden") {
				t.Errorf("%s: %v", name, line)
			}
		}
	}
	watch.cmd.Process.Signal(os.Interrupt)
	if end := watch.next("end"); end["rejected"] != 5.0 || end["rejected_not_kept"] != 0.0 || end["verified"] != 1.0 {
		t.Errorf("end: %v", end)
	}
	view.cmd.Process.Signal(os.Interrupt)
	if end := view.next("end"); end["rejected"] != 5.0 {
		t.Errorf("end of the view: %v", end)
	}

	again := inPipe(t, watching(t, "--json", "--journal", journal, "--since", "1h"))
	for _, want := range []string{"wrong_path", "wrong_method", "no_match", "too_old", "not_http"} {
		if line := again.next("rejected"); line["reason"] != want {
			t.Errorf("after a restart: %v, want %s", line, want)
		}
	}
	again.cmd.Process.Signal(os.Interrupt)
	if end := again.next("end"); end["rejected"] != 0.0 {
		t.Errorf("end of a run without any: %v", end)
	}
}

func TestWhatIsExportedIsVerifiedOffline(t *testing.T) {
	journal, url, watch := journalOf(t, some()...)
	delivery{id: "msg_forged", body: "{}", key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}.post(t, url)
	watch.next("rejected")
	watch.cmd.Process.Signal(os.Interrupt)
	watch.next("end")
	dir := t.TempDir()
	export := func(args ...string) string {
		text, stderr, code := finished(t, program(t, append([]string{"export", "--journal", journal}, args...)...))
		if code != 0 {
			t.Fatal(stderr)
		}
		file := filepath.Join(dir, "saved"+strings.Join(args, ""))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	verify := func(code int, args ...string) string {
		t.Helper()
		stdout, stderr, got := finished(t, with(program(t, append([]string{"verify"}, args...)...), "ASPECT_WEBHOOK_SECRET="+secret))
		if got != code {
			t.Errorf("verify %v ended with %d, want %d: %s%s", args, got, code, stdout, stderr)
		}
		return stdout
	}
	if l := lines(t, verify(0, "--json", export("--format", "har"))); len(l) != 4 || l[0]["result"] != "verified" || l[0]["secret"] != "default" || l[0]["at"] != "received" {
		t.Errorf("of a HAR: %v", l)
	}
	all := export()
	if l := lines(t, verify(1, "--json", all)); len(l) != 5 || l[4]["result"] != "rejected" || l[4]["reason"] != "no_match" || l[4]["id"] != "msg_forged" {
		t.Errorf("of NDJSON: %v", l)
	}
	if l := lines(t, verify(1, "--json", "--at", "now", all)); len(l) != 5 || l[0]["at"] != "now" || l[0]["result"] != "verified" {
		t.Errorf("for now: %v", l)
	}
	says(t, verify(0, export("--filter", "became:failed")), ": verified (secret default); message msg_2; judged for 20", "when it was received")
	says(t, verify(2, export("--redact")), "redacted: user ids are masked", "line 5: redacted, or never read: it has no headers")
	verify(2, filepath.Join(dir, "missing"))
	verify(2)
	verify(2, "--at", "then", all)
	if _, stderr, code := finished(t, program(t, "verify", all)); code != 2 || !strings.Contains(stderr, "ASPECT_WEBHOOK_SECRET") {
		t.Errorf("without a secret ended with %d: %s", code, stderr)
	}
	raw := with(program(t, "verify", "-"), "ASPECT_WEBHOOK_SECRET="+secret)
	text := new(strings.Builder)
	_ = delivery{id: "msg_raw", body: "{}"}.request(t, url).Write(text)
	raw.Stdin = strings.NewReader(text.String())
	if stdout, stderr, code := finished(t, raw); code != 0 || !strings.Contains(stdout, "request 1: verified") || !strings.Contains(stdout, "judged for now") {
		t.Errorf("a raw request ended with %d: %s%s", code, stdout, stderr)
	}
	large := filepath.Join(dir, "large")
	if f, err := os.Create(large); err != nil || f.Truncate(64<<20+1) != nil {
		t.Fatal(err)
	}
	verify(2, large)
}
