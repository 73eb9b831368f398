//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSentencesHaveADateUnlessTheyGoToATerminal(t *testing.T) {
	dated := `^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  `
	p := inPipe(t, watching(t, "--plain", "--journal", "memory"))
	keeps(t, p.line(dated + `receiving on .*)$`)[len("2026-11-28 12:00:00  receiving on "):], some()[0])
	p.line(dated + `new task .*)$`)
	p.signal(syscall.SIGINT)
	p.line(dated + `ended: .*)$`)
	if code := p.ends(); code != 0 {
		t.Errorf("ended with %d", code)
	}
	for _, term := range []string{"xterm-256color", "dumb"} {
		screen := inTerminal(t, 100, 20, with(watching(t, "--plain", "--journal", "memory"), "TERM="+term))
		screen.find(`(?m)^(\d\d:\d\d:\d\d  receiving on )`)
		screen.signal(syscall.SIGINT)
		screen.ends(0)
	}
}

// Every command with --since reads the forms that people write.
func TestSinceIsReadByEveryCommandThatHasIt(t *testing.T) {
	t.Parallel()
	path, _, watch := journalOf(t, some()...)
	watch.old()
	now := time.Now().UTC()
	for since, all := range map[string]bool{
		now.AddDate(0, 0, -1).Format(time.DateOnly): true, now.AddDate(0, 0, 1).Format(time.DateOnly): false, "1w": true, "1w2d": true,
		now.Add(-time.Hour).Format("2006-01-02T15:04"): true, now.Add(time.Hour).Format("2006-01-02T15:04Z"): false,
		now.Add(-2 * time.Minute).Format("15:04"): true,
	} {
		for _, args := range [][]string{{"export"}, {"export", "--format", "html"}, {"replay", "--dry-run", "--to", "http://127.0.0.1:9/x"}} {
			cmd := with(program(t, append(args, "--journal", path, "--since", since)...), "ASPECT_WEBHOOK_SECRET="+secret)
			stdout, stderr, code := finished(t, cmd)
			if found := strings.Contains(stdout, "msg_2") || strings.Contains(stdout, upload) || strings.Contains(stdout, "would be posted"); code != 0 || found != all {
				t.Errorf("%q --since %s: ended with %d, found %t; %s", args, since, code, found, stderr)
			}
		}
		for _, args := range [][]string{{"view", "--json"}, {"watch", "--json", "--listen", "127.0.0.1:0"}, {"demo", "--json", "--duration", "1m"}} {
			cmd := with(program(t, append(args, "--since", since)...), "ASPECT_WEBHOOK_SECRET="+secret)
			if args[0] != "demo" {
				cmd.Args = append(cmd.Args, "--journal", path)
			}
			p := inPipe(t, cmd)
			p.next("ready")
			p.signal(syscall.SIGINT)
			if code := p.ends(); code != 0 {
				t.Errorf("%q --since %s: ended with %d", args, since, code)
			}
		}
	}
	now = now.Truncate(time.Minute).Add(-time.Minute)
	_, _, code := finished(t, with(program(t, "send", "task.failed", "--to", "http://127.0.0.1:9/", "--timestamp", now.Format("15:04")), "ASPECT_WEBHOOK_SECRET="+secret))
	if code != 1 { // nobody listens, but the flag is read
		t.Errorf("send: ended with %d", code)
	}
}

func TestTimesWithoutSecondsAreRead(t *testing.T) {
	p := inPipe(t, watching(t, "--json", "--journal", "memory"))
	url := p.next("ready")["url"].(string)
	for i, updated := range []string{"2026-11-28T09:00Z", "2026-11-28 11:00+0200", "2026-11-28T09:00"} {
		body, _ := json.Marshal(map[string]any{"event_type": "task.progress", "data": map[string]any{"task": map[string]any{"id": fmt.Sprint("t", i), "updated": updated}}})
		keeps(t, url, delivery{id: fmt.Sprint("msg_", i), body: string(body)})
		if task, _ := p.next("event")["task"].(map[string]any); task["updated"] != "2026-11-28T09:00:00.000000Z" {
			t.Errorf("%s became %v", updated, task["updated"])
		}
	}
}
