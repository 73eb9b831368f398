//go:build unix

package e2e

import (
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ciJourney is what somebody's CI does: every exit code of wait, under set -e.
const ciJourney = `
set -eu
cd "$(mktemp -d)"

expect() { # CODE COMMAND...
  want=$1; shift
  code=0; "$@" || code=$?
  if [ "$code" != "$want" ]; then echo "$* ended with $code, not $want" >&2; exit 1; fi
}
send() { aspectop send "$@" --to "$url" >&2; }
wait_json() { aspectop wait "$@" --json; }

aspectop watch --json --listen 127.0.0.1:0 >watch.json &
watch=$!
until grep -q '"type":"ready"' watch.json; do sleep 0.1; done
url=$(sed -n 's/.*"type":"ready".*"url":"\([^"]*\)".*/\1/p' watch.json)

# A task that is completed while we wait.
send task.progress --task good-1
{ until [ -e waiting ]; do sleep 0.1; done; send task.completed --task good-1; } &
touch waiting
wait_json good-1 --timeout 20s

# Tasks that were done before.
send task.failed --task bad-1
wait_json good                               # by a beginning of its id
expect 1 wait_json bad-1
expect 1 wait_json good-1 bad-1
wait_json --any good-1 never-1
wait_json bad-1 --feature proxy              # that one is completed
expect 1 wait_json bad-1 --feature visual

expect 2 wait_json
expect 2 wait_json ""
expect 2 wait_json good-1 --timeout soon
expect 124 wait_json never-1 good-1 --timeout 2s

aspectop wait never-2 --json >interrupted.json 2>interrupted.err & waiter=$!
until grep -q following interrupted.err; do sleep 0.1; done
kill -TERM $waiter
expect 130 wait $waiter
test ! -s interrupted.json

aspectop wait never-3 --json 2>alone.err & waiter=$!
until grep -q following alone.err; do sleep 0.1; done
kill -KILL $watch
expect 3 wait $waiter
cat interrupted.err alone.err >&2
`

func TestAContinuousIntegrationJobWaitsForItsUploads(t *testing.T) {
	t.Parallel()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("runs where sh is, as in the gate")
	}
	cmd := with(program(t), "ASPECT_WEBHOOK_SECRET="+secret)
	for i, v := range cmd.Env {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			cmd.Env[i] = "PATH=" + filepath.Dir(binary) + string(filepath.ListSeparator) + path
		}
	}
	cmd.Path, cmd.Args = sh, []string{"sh", "-c", ciJourney}
	stdout, stderr, code := finished(t, cmd)
	if code != 0 {
		t.Fatalf("the job ended with %d:\n%s%s", code, stdout, stderr)
	}
	var got []string
	for _, l := range lines(t, stdout) {
		keys := []string{"type", "time", "task_id", "state", "done"}
		for k := range l {
			if !slices.Contains(keys, k) || len(l) != len(keys) || l["type"] != "result" {
				t.Errorf("the line %v has other keys than %q", l, keys)
			}
		}
		state, _ := l["state"].(string)
		got = append(got, strings.TrimSpace(l["task_id"].(string)+" "+state)+map[bool]string{true: "", false: " not done"}[l["done"].(bool)])
	}
	want := []string{
		"good-1 completed", "good-1 completed", "bad-1 failed", "good-1 completed", "bad-1 failed", "good-1 completed",
		"bad-1 completed", "bad-1 failed", "good-1 completed", "never-1 not done",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the results are %q, want %q\n%s", got, want, stderr)
	}
	for _, code := range []string{"usage", "timeout", "interrupted", "setup_failed", "failed"} {
		says(t, stderr, `{"error":{"code":"`+code+`",`)
	}
}

func TestWaitReceivesByItselfWhereNoWatchRuns(t *testing.T) {
	waiter := inPipe(t, with(program(t, "wait", upload[:8], another, "--json"), "ASPECT_WEBHOOK_SECRET="+secret))
	url := waiter.says(`receiving on (http\S+)\n`)
	start := time.Now()
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", start, feature("visual", "queued"))})
	keeps(t, url, delivery{id: "msg_2", body: tells(another, "task.completed", start, feature("visual", "completed"))})
	if r := waiter.next("result"); r["task_id"] != another || r["state"] != "completed" || r["done"] != true {
		t.Errorf("the first result is %v", r)
	}
	keeps(t, url, delivery{id: "msg_3", body: tells(upload, "task.completed", start.Add(time.Second), feature("visual", "completed"))})
	if r := waiter.next("result"); r["task_id"] != upload {
		t.Errorf("the second result is %v", r)
	}
	if code := waiter.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, waiter.errors())
	}
}

func TestWhatAnOldJournalKnowsNeedNotComeAgain(t *testing.T) {
	journal, _, watch := journalOf(t, some()...)
	watch.old()
	// One of two tasks is done in the journal; the other one is waited for here.
	state := t.TempDir()
	defaultPlace := filepath.Join(state, "aspectop")
	if out, err := exec.Command("cp", "-r", filepath.Dir(journal), defaultPlace).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	waiter := inPipe(t, with(program(t, "wait", another, "later", "--json"), "XDG_STATE_HOME="+state, "ASPECT_WEBHOOK_SECRET="+secret))
	if r := waiter.next("result"); r["task_id"] != another {
		t.Errorf("the result from the journal is %v", r)
	}
	keeps(t, waiter.says(`receiving on (http\S+)\n`), delivery{id: "msg_1", body: tells("later", "task.completed", time.Now(), feature("visual", "na"))})
	if r := waiter.next("result"); r["task_id"] != "later" {
		t.Errorf("the result received here is %v", r)
	}
	if code := waiter.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, waiter.errors())
	}

	stdout, _, code := finished(t, program(t, "wait", another, "--journal", journal))
	if stdout != "task 7b00c1de: completed\n" || code != 0 {
		t.Errorf("with the old journal named: %q, %d", stdout, code)
	}
	_, stderr, code := finished(t, program(t, "wait", "later", "--journal", journal))
	if says(t, stderr, journal, "aspectop watch"); code != 3 {
		t.Errorf("for what the old journal does not know: %d", code)
	}
}

func TestAnInterruptedWaitSaysSo(t *testing.T) {
	waiter := inPipe(t, with(program(t, "wait", "never"), "ASPECT_WEBHOOK_SECRET="+secret))
	waiter.says(`receiving on (http\S+)\n`)
	waiter.signal(syscall.SIGINT)
	if code := waiter.ends(); code != 130 {
		t.Errorf("ended with %d: %s", code, waiter.errors())
	}
}

func TestWaitRefusesWhatCannotWork(t *testing.T) {
	journal, _, _ := journalOf(t,
		delivery{id: "msg_1", body: tells("abc-1", "task.progress", time.Now(), feature("visual", "queued"))},
		delivery{id: "msg_2", body: tells("abc-2", "task.progress", time.Now(), feature("visual", "queued"))})
	for _, c := range []struct {
		args []string
		code int
		says []string
	}{
		{[]string{"never"}, 2, []string{"ASPECT_WEBHOOK_SECRET", "aspectop watch"}},
		{[]string{"never", "--journal", "/nowhere/journal.db"}, 3, []string{"/nowhere/journal.db"}},
		{[]string{"abc", "--journal", journal}, 2, []string{`"abc" fits several tasks (abc-1, abc-2)`}},
		{[]string{"never", "--journal", "memory"}, 2, []string{"a journal in memory"}},
	} {
		stdout, stderr, code := finished(t, program(t, append([]string{"wait"}, c.args...)...))
		if code != c.code || stdout != "" {
			t.Errorf("wait %q ended with %d, not %d, and wrote %q", c.args, code, c.code, stdout)
		}
		says(t, stderr, c.says...)
	}
}
