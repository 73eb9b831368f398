//go:build unix

package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
	for wrong, reason := range map[string]string{"signature": "no_match", "timestamp": "too_old", "body": "no_match", "secret": "no_match"} {
		stdout, _, code := sending(t, "task.completed", "--to", url, "--break", wrong)
		says(t, stdout, "answered 400", "rejected, as expected")
		if r := watch.next("rejected"); code != 0 || r["reason"] != reason {
			t.Errorf("--break %s ended with %d; the receiver says %v", wrong, code, r)
		}
	}
	careless := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer careless.Close()
	stdout, stderr, code := sending(t, "task.completed", "--to", careless.URL, "--break", "body")
	says(t, stdout, "accepted, but should have been rejected")
	if says(t, stderr, "accepted a message with a wrong body"); code != 1 {
		t.Errorf("a careless receiver: ended with %d", code)
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
		{[]string{"task.completed", "--to", nobody[len("http://"):]}, 1, []string{nobody, "is the receiver running there?"}},
		{[]string{"task.completed", "again", "--to", to}, 2, []string{`"again"`}},
		{[]string{"task.completed", "--to", to, "--break", "everything"}, 2, []string{"everything", "signature"}},
		{[]string{"task.completed", "--to", to, "--feature", "visual"}, 2, []string{"visual=failed"}},
		{[]string{"task.completed", "--to", to, "--feature", "visual=done"}, 2, []string{"visual=done", "completed"}},
		{[]string{"task.completed", "--to", to, "--timestamp", "soon"}, 2, []string{"soon"}},
		{[]string{"task.completed", "--to", to, "--secret-env", "OTHER"}, 2, []string{"OTHER"}},
		{[]string{"task.completed", "--to", to, "--scenario", "upload"}, 2, []string{"task.completed"}},
		{[]string{"--task", "x", "--to", to, "--scenario", "upload"}, 2, []string{"--task"}},
		{[]string{"--to", to, "--scenario", bad}, 2, []string{bad + ":2:7:", "soon"}},
		{[]string{"--to", nobody, "--scenario", "upload"}, 1, []string{nobody, "refused"}},
		{[]string{"task.completed", "--to", nobody}, 1, []string{nobody, "is the receiver running there?"}},
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
