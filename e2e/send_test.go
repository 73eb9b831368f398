//go:build unix

package e2e

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
)

// sending is send with the secret of the tests.
func sending(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return finished(t, with(program(t, append([]string{"send"}, args...)...), "ASPECT_WEBHOOK_SECRET="+secret))
}

func TestAnEventIsSentAndItsAnswerTold(t *testing.T) {
	_, url, watch := journalOf(t)
	stdout, stderr, code := sending(t, "task.failed", "--to", url, "--task", upload, "--feature", "visual=completed",
		"--feature", "transcription=failed", "--id", "msg_mine", "--timestamp", "2m")
	says(t, stdout, "sent task.failed of task "+upload+" as msg_mine: answered 204")
	if code != 0 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	e := watch.next("event")
	features := e["task"].(map[string]any)["features"].(map[string]any)
	if e["id"] != "msg_mine" || e["task_id"] != upload || features["visual"] != "completed" || features["transcription"] != "failed" {
		t.Errorf("the receiver saw %v", e)
	}

	stdout, _, code = sending(t, "asset.created", "--to", url, "--json")
	if l := lines(t, stdout); code != 0 || len(l) != 1 || l[0]["type"] != "sent" || l[0]["status"] != 204.0 || l[0]["right"] != true || l[0]["task_id"] != nil {
		t.Errorf("ended with %d and wrote %s", code, stdout)
	}
	if e := watch.next("event"); e["event_type"] != "asset.created" || e["task"] != nil {
		t.Errorf("the receiver saw %v", e)
	}
}

func TestAnEventThatIsTooOldIsSaidToBe(t *testing.T) {
	_, url, _ := journalOf(t)
	_, stderr, code := sending(t, "task.failed", "--to", url, "--timestamp", "10m")
	if says(t, stderr, "rejected the message with 400", "it was signed 10m ago, and receivers reject more than 5m"); code != 1 {
		t.Errorf("ended with %d", code)
	}
}

func TestACarefulReceiverRefusesWhatIsWrongOnPurpose(t *testing.T) {
	_, url, watch := journalOf(t)
	for wrong, reason := range map[string]string{
		"signature": "no_match", "timestamp": "too_old", "future": "too_new", "body": "no_match", "secret": "no_match", "headers": "missing_headers", "malformed": "malformed",
	} {
		stdout, _, code := sending(t, "task.completed", "--to", url, "--break", wrong)
		says(t, stdout, "answered 204", "answered 400", "rejected, as expected")
		for range map[bool]int{true: 3, false: 1}[wrong == "headers"] {
			if r := watch.next("rejected"); code != 0 || r["reason"] != reason {
				t.Errorf("--break %s ended with %d; the receiver says %v", wrong, code, r)
			}
		}
	}
	careless := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer careless.Close()
	stdout, stderr, code := sending(t, "task.completed", "--to", careless.URL, "--break", "body")
	says(t, stdout, "accepted, but should have been rejected")
	if says(t, stderr, "accepted a message with a wrong body", "aspectop check "+careless.URL+"/ finds out why"); code != 1 {
		t.Errorf("a careless receiver: ended with %d", code)
	}
}

// handlerOf verifies by Svix's library and answers as the functions say.
func handlerOf(t *testing.T, good, bad func(http.ResponseWriter)) *httptest.Server {
	t.Helper()
	w, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if w.Verify(body, r.Header) != nil {
			bad(rw)
			return
		}
		good(rw)
	}))
	t.Cleanup(h.Close)
	return h
}

func answering(status int, text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

func TestARejectionCountsOnlyIfTheValidMessageWasAccepted(t *testing.T) {
	h := handlerOf(t, answering(403, "CSRF token missing"), answering(403, "CSRF token missing"))
	stdout, stderr, code := sending(t, "task.completed", "--to", h.URL+"/hook", "--break", "signature", "--json")
	says(t, stderr, "valid message", "proves nothing", "CSRF protection", "aspectop check "+h.URL+"/hook finds out why")
	if l := lines(t, stdout); code != 1 || len(l) != 1 || l[0]["break"] != nil || l[0]["right"] != false || l[0]["answer"] != "CSRF token missing" {
		t.Errorf("ended with %d and wrote %s", code, stdout)
	}
}

func TestAHandlerThatWritesTheJSONAgainIsFoundByOneEvent(t *testing.T) {
	for name, write := range map[string]func(v any) []byte{
		"as JSON.stringify": func(v any) []byte { b, _ := json.Marshal(v); return b },
		"as json.dumps": func(v any) []byte {
			b, _ := json.Marshal(v)
			return []byte(strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(string(b)))
		},
	} {
		w, err := svix.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		h := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			var event struct {
				Timestamp string `json:"timestamp"`
				UserID    string `json:"user_id"`
				EventID   string `json:"event_id"`
				EventType string `json:"event_type"`
				Data      any    `json:"data"`
			}
			if json.NewDecoder(r.Body).Decode(&event) != nil || w.Verify(write(event), r.Header) != nil {
				rw.WriteHeader(400)
			}
		}))
		_, stderr, code := sending(t, "asset.created", "--to", h.URL)
		if says(t, stderr, "verify the raw body", "white space is lost when JSON is re-serialised", "aspectop check "); code != 1 {
			t.Errorf("%s: ended with %d", name, code)
		}
		h.Close()
	}
}

func TestEachHeaderIsLeftOutInTurn(t *testing.T) {
	h := handlerOf(t, answering(204, ""), answering(400, "Missing required headers"))
	stdout, stderr, code := sending(t, "task.completed", "--to", h.URL, "--break", "headers")
	says(t, stdout, "without svix-id", "without svix-timestamp", "without svix-signature", "rejected, as expected")
	if code != 0 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	// One that is accepted decides, wherever it stands.
	h = handlerOf(t, answering(204, ""), answering(204, ""))
	_, stderr, code = sending(t, "task.completed", "--to", h.URL, "--break", "headers")
	if says(t, stderr, "accepted a message with a wrong headers"); code != 1 {
		t.Errorf("ended with %d", code)
	}
}

func TestAScenarioDoesNotCountAFailureAsAcceptance(t *testing.T) {
	h := handlerOf(t, answering(204, ""), answering(500, "Internal Server Error"))
	if _, stderr, code := sending(t, "task.completed", "--to", h.URL, "--break", "secret"); code != 1 || !strings.Contains(stderr, "answered 500, which does not reject a wrong secret; a failed verification has to be caught") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	file := filepath.Join(t.TempDir(), "own.scenario")
	if err := os.WriteFile(file, []byte("at 0s task a clip\nafter 10ms task a visual=failed break=secret\nafter 10ms task a break=signature\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := sending(t, "--scenario", file, "--to", h.URL, "--seed", "1")
	if says(t, stderr, "messages that it should have rejected with neither 2xx nor a rejection"); code != 1 || strings.Contains(stderr, "accepted") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
}

func TestAStateThatAspectDoesNotDocumentIsSentWithANotice(t *testing.T) {
	_, url, watch := journalOf(t)
	_, stderr, code := sending(t, "task.progress", "--to", url, "--feature", "new=paused")
	if says(t, stderr, `does not document a state "paused"`, "sent as it is"); code != 0 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	e := watch.next("event")
	if features := e["task"].(map[string]any)["features"].(map[string]any); features["new"] != "paused" {
		t.Errorf("the receiver saw %v", e)
	}
}

func TestSendSaysWhatIsWrongWithAnAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter)
		code   int
		says   []string
	}{
		"a redirect":        {func(w http.ResponseWriter) { w.Header().Set("Location", "/hook/"); w.WriteHeader(308) }, 1, []string{`points to "/hook/"`}},
		"no route":          {answering(404, ""), 1, []string{"nothing is at POST /hook"}},
		"too many":          {answering(429, ""), 1, []string{"limits the rate"}},
		"a page":            {answering(200, "<!doctype html><title>Vite App</title>"), 0, []string{"HTML page", "Vite App", "aspectop check"}},
		"a body cut off":    {func(w http.ResponseWriter) { w.Header().Set("Content-Length", "100"); io.WriteString(w, "hello") }, 1, []string{"breaks off after 5 of 100 bytes"}},
		"another secret":    {answering(400, "No matching signature found"), 1, []string{"with the secret in ASPECT_WEBHOOK_SECRET", "aspectop check"}},
		"an endpoint's end": {func(w http.ResponseWriter) { w.Header().Set("webhook-delivery", "disable") }, 0, []string{"makes Svix disable the endpoint"}},
	} {
		h := handlerOf(t, c.answer, c.answer)
		_, stderr, code := sending(t, "task.completed", "--to", h.URL+"/hook?token=hush")
		if says(t, stderr, c.says...); code != c.code || strings.Contains(stderr, "hush") {
			t.Errorf("%s: ended with %d: %s", name, code, stderr)
		}
	}
}

func TestNoProxyOfTheEnvironmentIsUsedForThisMachine(t *testing.T) {
	h := handlerOf(t, answering(204, ""), answering(400, ""))
	_, port, _ := net.SplitHostPort(h.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "app.localhost", "127.0.0.9"} {
		_, stderr, code := finished(t, with(program(t, "send", "task.completed", "--to", "http://"+host+":"+port), "ASPECT_WEBHOOK_SECRET="+secret, "HTTP_PROXY=http://127.0.0.1:1", "http_proxy=http://127.0.0.1:1"))
		if (code != 0) != (host == "127.0.0.9") || strings.Contains(stderr, "proxy") { // nothing listens at the last
			t.Errorf("%s: ended with %d: %s", host, code, stderr)
		}
	}
	_, stderr, code := finished(t, with(program(t, "send", "task.completed", "--to", "http://handler.test/"), "ASPECT_WEBHOOK_SECRET="+secret, "HTTP_PROXY=http://127.0.0.1:1"))
	if says(t, stderr, "the proxy http://127.0.0.1:1", "NO_PROXY"); code != 1 {
		t.Errorf("ended with %d", code)
	}
}

func TestAScenarioIsPlayedToAnyReceiver(t *testing.T) {
	_, url, watch := journalOf(t)
	file := filepath.Join(t.TempDir(), "own.scenario")
	text := "# mine\nat 0s task a clip\nafter 10ms task a visual=failed break=secret\nafter 10ms task a visual=completed\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := sending(t, "--scenario", file, "--to", url, "--seed", "7", "--json")
	l := lines(t, stdout)
	if code != 0 || len(l) != 3 {
		t.Fatalf("ended with %d: %s%s", code, stdout, stderr)
	}
	says(t, stderr, "--seed 7")
	task := watch.next("event")["task_id"]
	again, _, _ := sending(t, "--scenario", file, "--to", url, "--seed", "7", "--json")
	if other := lines(t, again); len(other) != 3 || other[0]["task_id"] != task {
		t.Errorf("the same seed draws another task: %s", again)
	}

	careless := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer careless.Close()
	_, stderr, code = sending(t, "--scenario", file, "--to", careless.URL)
	if says(t, stderr, "accepted 1 messages that it should have rejected"); code != 1 {
		t.Errorf("a careless receiver: ended with %d", code)
	}
}

func TestSendRefusesWhatCannotWork(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.scenario")
	if err := os.WriteFile(bad, []byte("at 0s task a clip\nafter soon task a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String() + "/"
	closed.Close()
	const to = "http://127.0.0.1:1/"
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{nil, 2, []string{"task.completed", "--scenario"}},
		{[]string{"task.completed"}, 2, []string{"--to"}},
		{[]string{"task.completed", "--to", "3000"}, 2, []string{"--to", ":3000"}},
		{[]string{"task.completed", "--to", "ftp://localhost/"}, 2, []string{"--to", "http://"}},
		{[]string{"task.completed", "--to", "http://me:hush@localhost/"}, 2, []string{"--to", "header-env"}},
		{[]string{"task.completed", "--to", nobody[len("http://"):]}, 1, []string{nobody, "nothing listens on"}},
		{[]string{"task.completed", "again", "--to", to}, 2, []string{`"again"`}},
		{[]string{"task.completed", "--to", to, "--break", "everything"}, 2, []string{"everything", "signature"}},
		{[]string{"task.completed", "--to", to, "--feature", "visual"}, 2, []string{"visual=failed"}},
		{[]string{"task.completed", "--to", to, "--timestamp", "soon"}, 2, []string{"soon"}},
		{[]string{"task.completed", "--to", to, "--secret-env", "OTHER"}, 2, []string{"OTHER"}},
		{[]string{"task.completed", "--to", to, "--scenario", "upload"}, 2, []string{"task.completed"}},
		{[]string{"--task", "x", "--to", to, "--scenario", "upload"}, 2, []string{"--task"}},
		{[]string{"--to", to, "--scenario", bad}, 2, []string{bad + ":2:7:", "soon"}},
		{[]string{"--to", nobody, "--scenario", "upload"}, 1, []string{nobody, "refused"}},
		{[]string{"task.completed", "--to", nobody}, 1, []string{nobody, "nothing listens on"}},
	} {
		_, stderr, code := sending(t, c.args...)
		if code != c.code {
			t.Errorf("send %q ended with %d, not %d", c.args, code, c.code)
		}
		says(t, stderr, c.says...)
	}
}

func TestAScenarioCanBeInterrupted(t *testing.T) {
	_, url, watch := journalOf(t)
	p := inPipe(t, with(program(t, "send", "--scenario", "mix", "--to", url, "--json"), "ASPECT_WEBHOOK_SECRET="+secret))
	p.next("sent")
	watch.next("event")
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 130 {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
}
