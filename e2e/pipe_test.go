//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAProgramReadsJSONLines(t *testing.T) {
	p := inPipe(t, watching(t, "--json"))
	ready := p.next("ready")
	url, _ := ready["url"].(string)
	if ready["schema"] != 1.0 || ready["tunnel"] != "off" || ready["public_url"] != nil || ready["pid"] != float64(p.cmd.Process.Pid) {
		t.Errorf("the ready line is %v", ready)
	}
	start := time.Now()
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", start, feature("visual", "queued"))})
	keeps(t, url, delivery{id: "msg_2", body: tells(upload, "task.completed", start.Add(time.Second), feature("visual", "completed"))})
	keeps(t, url, delivery{id: "msg_2", body: tells(upload, "task.completed", start.Add(time.Second), feature("visual", "completed"))})

	first, second := p.next("event"), p.next("event")
	want := map[string]any{
		"seq": 1.0, "id": "msg_1", "attempt": 1.0, "source": "webhook", "secret": "default", "event_type": "task.progress",
		"task_id": upload, "late": false, "changes": []any{map[string]any{"feature": "visual", "from": nil, "to": "queued"}},
	}
	for key, value := range want {
		if !reflect.DeepEqual(first[key], value) {
			t.Errorf("%s of the first event is %v, not %v", key, first[key], value)
		}
	}
	if task := second["task"].(map[string]any); task["state"] != "completed" {
		t.Errorf("the task after the second event is %v", task)
	}
	if d := p.next("duplicate"); d["seq"] != 2.0 || d["attempt"] != 2.0 || d["differs"] != false {
		t.Errorf("the duplicate line is %v", d)
	}
	// Rejected lines have no order among the others, so this one comes alone.
	delivery{id: "msg_3", body: "{}", key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}.post(t, url)
	if r := p.next("rejected"); r["reason"] != "no_match" || r["id"] != "msg_3" {
		t.Errorf("the rejected line is %v", r)
	}
	p.signal(syscall.SIGINT)
	if end := p.next("end"); end["verified"] != 2.0 || end["rejected"] != 1.0 || end["duplicate"] != 1.0 || end["late"] != 0.0 {
		t.Errorf("the end line is %v", end)
	}
	if code := p.ends(); code != 0 {
		t.Errorf("interrupted, the program ended with %d: %s", code, p.errors())
	}
}

func TestADemoInAPipeEndsWhenAllIsTold(t *testing.T) {
	p := inPipe(t, program(t, "demo", "--json", "--scenario", "upload"))
	p.next("ready")
	p.next("event")
	p.signal(syscall.SIGTERM)
	p.next("end")
	if code := p.ends(); code != 0 {
		t.Errorf("the demo ended with %d: %s", code, p.errors())
	}
}

func TestAClosedPipeEndsTheProgramCleanly(t *testing.T) {
	p := inPipe(t, watching(t, "--json"))
	url := p.next("ready")["url"].(string)
	p.stdout.Close()
	for i := range 3 {
		// The write that finds the pipe closed may come after this one's answer.
		d := delivery{id: fmt.Sprint("msg_", i), body: "{}"}
		if d.tryPost(url) != nil {
			break
		}
	}
	if code := p.ends(); code != 0 {
		t.Errorf("the program ended with %d: %s", code, p.errors())
	}
}

func TestWhatWasAcknowledgedIsThereAgainAfterAKill(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal.db")
	p := inPipe(t, watching(t, "--json", "--journal", journal))
	url := p.next("ready")["url"].(string)
	for i := range 20 {
		keeps(t, url, delivery{id: fmt.Sprintf("msg_%d", i), body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	}
	p.cmd.Process.Kill()
	p.ends()

	again := inPipe(t, watching(t, "--json", "--journal", journal, "--since", "1h"))
	for i := range 20 {
		if e := again.next("event"); e["id"] != fmt.Sprintf("msg_%d", i) {
			t.Fatalf("event %d is %v", i, e)
		}
	}
	url = again.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_7", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	if d := again.next("duplicate"); d["seq"] != 8.0 {
		t.Errorf("a retry after the restart is %v", d)
	}
}

func TestASecondWatchIsToldWhoWrites(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal.db")
	first := inPipe(t, watching(t, "--json", "--journal", journal))
	first.next("ready")
	second := inPipe(t, watching(t, "--json", "--journal", journal))
	if code := second.ends(); code != 3 {
		t.Errorf("the second watch ended with %d", code)
	}
	for _, want := range []string{fmt.Sprint(first.cmd.Process.Pid), "aspectop view", `{"error":{"code":"setup_failed"`} {
		if !strings.Contains(second.errors(), want) {
			t.Errorf("the second watch does not say %q: %s", want, second.errors())
		}
	}
}

func TestBadInputIsRefusedWithTheRightCode(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel tests
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says []string
	}{
		{"no secret", []string{"watch"}, nil, 2, []string{"ASPECT_WEBHOOK_SECRET", "aspectop demo"}},
		{"no secret, no command", nil, nil, 2, []string{"aspectop demo"}},
		{"empty secret", []string{"watch"}, []string{"ASPECT_WEBHOOK_SECRET= "}, 2, []string{"ASPECT_WEBHOOK_SECRET", "empty"}},
		{"undecodable secret", []string{"watch"}, []string{"ASPECT_WEBHOOK_SECRET=whsec_!!!hush!!!"}, 2, []string{"ASPECT_WEBHOOK_SECRET"}},
		{"secret of another alphabet", []string{"watch"}, []string{"ASPECT_WEBHOOK_SECRET=whse\u0441_hush"}, 2, []string{"Cyrillic"}},
		{"unknown flag", []string{"watch", "--loud"}, nil, 2, []string{"--loud", "see aspectop watch --help"}},
		{"misspelt flag", []string{"send", "task.failed", "--too", "x"}, nil, 2, []string{"--too; did you mean --to?", "see aspectop send --help"}},
		{"misspelt command", []string{"wacth"}, nil, 2, []string{`unknown command "wacth"; did you mean wait or watch?`, "see aspectop --help"}},
		{"misspelt subcommand", []string{"journal", "chek"}, nil, 2, []string{`unknown command "chek"; did you mean check?`, "see aspectop journal --help"}},
		{"number that is none", []string{"messages", "--limit", "x"}, nil, 2, []string{`--limit: "x" is not a whole number`}},
		{"theme of the environment", []string{"demo"}, []string{"ASPECTOP_THEME=pink"}, 2, []string{`unknown --theme "pink"`, "--theme is set by the environment variable ASPECTOP_THEME"}},
		{"variable of no flag", []string{"demo", "--theme", "pink"}, []string{"ASPECTOP_THEEM=x"}, 2, []string{"ASPECTOP_THEEM has no effect", "did you mean ASPECTOP_THEME?"}},
		{"filter without a value", []string{"replay", "--to", "http://127.0.0.1:1", "--filter", "state:"}, nil, 2, []string{`--filter: "state:" has no value`}},
		{"filter of nothing", []string{"export", "--filter", "-"}, nil, 2, []string{`--filter: "-" has no value`}},
		{"no address", []string{"watch", "--listen", "foo"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{`--listen: "foo" is not an address`}},
		{"no address for metrics", []string{"watch", "--journal", "memory", "--metrics", "foo:bar"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--metrics: ", "port"}},
		{"address of another machine", []string{"watch", "--journal", "memory", "--listen", "192.0.2.1:0"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 3, []string{"--listen: ", "no such address"}},
		{"metrics on a port that is taken", []string{"watch", "--journal", "memory", "--metrics", taken.Addr().String()}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 3, []string{"--metrics: ", "another program"}},
		{"program of --exec that is not there", []string{"watch", "--journal", "memory", "--listen", "127.0.0.1:0", "--exec", "/nowhere/x --now"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 3, []string{"--exec: ", "/nowhere/x"}},
		{"file for no secret", []string{"watch", "--secret-out", "/nowhere/x"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--secret-out", "--register"}},
		{"copy of nothing", []string{"journal", "copy", blocked + ".none", "copy.db"}, nil, 3, []string{"there is no journal at " + blocked + ".none\n"}},
		{"picture that is no SVG", []string{"view", "--picture", "board.png"}, nil, 2, []string{"--picture board.png", ".svg"}},
		{"picture nowhere", []string{"view", "--picture", blocked + "/board.svg"}, nil, 1, []string{"no directory " + blocked}},
		{"picture that is a directory", []string{"view", "--picture", filepath.Dir(blocked)}, nil, 1, []string{"it is a directory"}},
		{"stray argument", []string{"watch", "now"}, nil, 2, []string{`"now"`}},
		{"bad filter", []string{"watch", "--filter", "stat:failed"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"stat:failed"}},
		{"bad duration", []string{"watch", "--retain", "soon"}, nil, 2, []string{"soon", "30d"}},
		{"bad variable", []string{"demo"}, []string{"ASPECTOP_RATE=fast"}, 2, []string{"ASPECTOP_RATE"}},
		{"help of no command", []string{"frobnicate", "--help"}, nil, 2, []string{"unknown command"}},
		{"help about no command", []string{"help", "frobnicate"}, nil, 2, []string{"unknown command"}},
		{"plain and json", []string{"demo", "--plain", "--json"}, nil, 2, []string{"--plain"}},
		{"missing secret file", []string{"watch", "--secret-file", "/nowhere"}, nil, 2, []string{"/nowhere"}},
		{"journal that cannot be", []string{"watch", "--journal", blocked + "/journal.db"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 3, []string{blocked, "--journal"}},
		{"a wait of no time", []string{"wait", "2e1c7e42", "--timeout", "0"}, nil, 2, []string{"--timeout"}},
		{"public URL with a password", []string{"watch", "--public-url", "https://me:hush@example.com"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--public-url"}},
		{"handler that is a port", []string{"watch", "--forward-to", "3000"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--forward-to", ":3000"}},
		{"handler that is no web server", []string{"watch"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret, "ASPECTOP_FORWARD_TO=ftp://localhost/"}, 2, []string{"--forward-to", "http://"}},
		{"handler with a password", []string{"watch", "--forward-to", "http://me:hush@localhost/"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--forward-to", "header-env"}},
		{"replay with a password", []string{"replay", "--to", "hush@localhost:3000"}, []string{"ASPECT_WEBHOOK_SECRET=" + secret}, 2, []string{"--to", "header-env"}},
		{"scenario that is not there", []string{"demo", "--scenario", "nothing"}, nil, 2, []string{"nothing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := with(program(t, c.args...), c.env...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(cmd.Run()); code != c.code {
				t.Errorf("ended with %d, not %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(stderr.String(), want) {
					t.Errorf("does not say %q:\n%s", want, stderr.String())
				}
			}
			if stdout.Len() > 0 {
				t.Errorf("wrote to stdout: %q", stdout.String())
			}
			if strings.Contains(stderr.String(), "hush") {
				t.Errorf("told a secret: %s", stderr.String())
			}
		})
	}
}

func TestASubcommandIsAskedForByHelp(t *testing.T) {
	for _, command := range []string{"journal", "endpoints"} {
		stdout, stderr, code := finished(t, program(t, command))
		if code != 0 || stderr != "" {
			t.Errorf("%s ended with %d: %s", command, code, stderr)
		}
		says(t, stdout, "Available Commands:")
	}
}

func TestANewJournalWithANameIsAnnounced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "journal.db")
	for _, want := range []bool{true, false} {
		p := inPipe(t, watching(t, "--json", "--journal", path))
		p.next("ready")
		p.signal(syscall.SIGTERM)
		p.ends()
		if got := strings.Contains(p.errors(), "created a new journal at "+path); got != want {
			t.Errorf("announced: %v, want %v: %s", got, want, p.errors())
		}
	}
}

func TestAPortInUseIsSaid(t *testing.T) {
	first := inPipe(t, watching(t, "--json"))
	url := first.next("ready")["url"].(string)
	address := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/webhooks/aspect")
	second := inPipe(t, with(program(t, "watch", "--listen", address), "ASPECT_WEBHOOK_SECRET="+secret))
	if code := second.ends(); code != 3 {
		t.Errorf("with an explicit --listen that is taken, watch ended with %d", code)
	}
	if !strings.Contains(second.errors(), address) {
		t.Errorf("the address is not named: %s", second.errors())
	}
}

func (d delivery) tryPost(url string) error {
	resp, err := http.Post(url, "application/json", strings.NewReader(d.body))
	if err == nil {
		resp.Body.Close()
	}
	return err
}

func TestSendShowsNoPasswordOfAURL(t *testing.T) {
	cmd := with(program(t, "send", "task.failed", "--json", "--to", "http://127.0.0.1:9/x?token=hush"), "ASPECT_WEBHOOK_SECRET="+secret)
	out, err := cmd.CombinedOutput()
	if exitCode(err) != 1 || !strings.Contains(string(out), "http://127.0.0.1:9/x") || strings.Contains(string(out), "hush") {
		t.Errorf("ended with %v:\n%s", err, out)
	}
}
