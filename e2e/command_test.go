//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// finished runs a command to its end and returns what it wrote and its exit
// code.
func finished(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	code = exitCode(cmd.Wait())
	return out.String(), errs.String(), code
}

// lines are the JSON objects that a text consists of, one a line.
func lines(t *testing.T, text string) (objects []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatalf("%v in the line %q", err, line)
		}
		objects = append(objects, object)
	}
	return objects
}

// says checks that a text contains all others.
func says(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("does not say %q:\n%s", want, text)
		}
	}
}

// journalOf starts a watch on a journal of its own, posts the deliveries to it,
// and returns the journal's path and the watch, which still runs.
func journalOf(t *testing.T, deliveries ...delivery) (path, url string, watch *piped) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	watch = inPipe(t, watching(t, "--json", "--journal", path))
	url, _ = watch.next("ready")["url"].(string)
	for _, d := range deliveries {
		keeps(t, url, d)
	}
	return path, url, watch
}

// old ends the watch: its journal is one that nobody writes any more.
func (p *piped) old() {
	p.t.Helper()
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 0 {
		p.t.Errorf("the watch ended with %d: %s", code, p.errors())
	}
}

// some is a task that failed, one that is completed, and a ping.
func some() []delivery {
	start := time.Now()
	return []delivery{
		{id: "msg_1", body: tells(upload, "task.progress", start, feature("visual", "processing"))},
		{id: "msg_2", body: tells(upload, "task.failed", start.Add(time.Second), feature("visual", "failed"))},
		{id: "msg_3", body: tells(another, "task.completed", start.Add(2*time.Second), feature("visual", "completed"))},
		{id: "msg_4", body: `{"success": true}`},
	}
}
