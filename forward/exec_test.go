//go:build unix

package forward

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// news is a message that tells a task's state by one feature.
func news(task, typ, state string, n int) *model.Delivery {
	d := message(task, n)
	d.Body = fmt.Appendf(nil, `{"event_type":%q,"event_id":"e%d","timestamp":"2026-11-23T12:00:%02dZ","data":{"task":{"id":%q,"asset_id":"a-%s","user_id":"u",
		"features":{"visual":{"state":%q}},"created":"2026-11-23T11:00:00Z","updated":"2026-11-23T12:00:%02dZ"}}}`, typ, n, n, task, task, state, n)
	return d
}

func done(task string, n int) *model.Delivery { return news(task, "task.completed", "completed", n) }

// execRig is an Exec on a journal in memory.
type execRig struct {
	t       *testing.T
	journal *memory
	status  *model.StatusLog
	feed    *feed.Feed
	exec    *Exec
	stop    func() // ends the run
	close   func() // ends the feed too
}

// folded reports whether all that arrived is folded.
func (r *execRig) folded() bool {
	r.feed.RLock()
	defer r.feed.RUnlock()
	_, last, _ := r.journal.Range(context.Background())
	return r.feed.Seen() == last
}

// onEnd runs the command for tasks that end from now on.
func onEnd(t *testing.T, m *memory, command string, change ...func(*Exec)) *execRig {
	t.Helper()
	r := &execRig{t: t, journal: m, status: model.NewStatusLog(1000)}
	m.append() // so that a feed looks
	folded, end := folding(t, m)
	r.feed = folded
	e := &Exec{Command: command, Feed: folded, Journal: m, Outcomes: m, Status: r.status}
	r.exec = e
	for _, f := range change {
		f(e)
	}
	if err := e.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	r.close = func() { r.stop(); end() }
	t.Cleanup(r.close)
	return r
}

func (r *execRig) notice() string {
	r.t.Helper()
	until(r.t, "a notice", func() bool { return len(notices(r.status)) > 0 })
	return notices(r.status)[0]
}

// lines are those of a file that commands append to.
func lines(path string) []string {
	text, _ := os.ReadFile(path)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

func TestACommandRunsForEachTaskThatEndsWithTheTaskOnItsInput(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	m.append(news("running", "task.progress", "processing", 1), done("before", 2))
	r := onEnd(t, m, "cat >> "+out)
	m.append(news("a", "task.progress", "processing", 3), news("a", "task.progress", "queued", 4), done("running", 5))
	until(t, "one line", func() bool { return len(lines(out)) == 1 })
	var task map[string]any
	if err := json.Unmarshal([]byte(lines(out)[0]), &task); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"task_id": "running", "asset_id": "a-running", "user_id": "u", "state": "completed",
		"features": map[string]any{"visual": "completed"}, "created": "2026-11-23T11:00:00.000000Z", "updated": "2026-11-23T12:00:05.000000Z",
	}
	if fmt.Sprint(task) != fmt.Sprint(want) {
		t.Errorf("it got %v, want %v", task, want)
	}
	// A repeat and what tells nothing new are no end; a failure after it is one.
	m.append(done("running", 5), news("running", "task.progress", "completed", 6))
	m.append(news("a", "task.failed", "failed", 7))
	until(t, "two lines", func() bool { return len(lines(out)) == 2 })
	m.append(news("running", "task.failed", "failed", 8))
	until(t, "three lines", func() bool { return len(lines(out)) == 3 })
	r.stop()
	var told []string
	for _, line := range lines(out) {
		json.Unmarshal([]byte(line), &task)
		told = append(told, fmt.Sprint(task["task_id"], " ", task["state"]))
	}
	sameText(t, "the ends", strings.Join(told, ", "), "running completed, a failed, running failed")
}

func TestACommandsFailureIsToldWithTheLastLinesOfItsComplaint(t *testing.T) {
	m := newMemory()
	r := onEnd(t, m, `for i in 1 2 3 4; do printf '\033[31mline %s\033[0m\007\t\342\200\256x\n\n' $i >&2; done; echo unsaid; exit 3`)
	m.append(done("t1", 1))
	sameText(t, "the notice", r.notice(), "--exec failed for task t1: exit status 3: line 2 x / line 3 x / line 4 x")
}

func TestACommandThatIsNotThereIsToldOf(t *testing.T) {
	m := newMemory()
	r := onEnd(t, m, "no-such-command-anywhere")
	m.append(done("t1", 1))
	has(t, r.notice(), "task t1", "exit status 127", "not found")
}

func TestACommandThatSaysGigabytesTakesLittleMemory(t *testing.T) {
	var said tail
	piece := make([]byte, 1<<20)
	for i := range piece {
		piece[i] = 'x'
	}
	for range 100 {
		said.Write(piece)
	}
	said.Write([]byte("\nlast\n"))
	if cap(said.kept) > 4*tailBytes || !strings.HasSuffix(said.lines(), "x… / last") {
		t.Errorf("%d bytes are held", cap(said.kept))
	}
}

func TestACommandGetsTheEnvironmentItIsGivenAndNoOther(t *testing.T) {
	t.Setenv("MY_TOKEN", "s3cr3t")
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	onEnd(t, m, "env > "+out+".tmp; mv "+out+".tmp "+out, func(e *Exec) { e.Env = []string{"PATH=" + os.Getenv("PATH"), "GIVEN=1"} })
	m.append(done("t1", 1))
	until(t, "the environment", func() bool { return len(lines(out)) > 0 })
	text := strings.Join(lines(out), "\n")
	if strings.Contains(text, "s3cr3t") {
		t.Errorf("the environment is\n%s", text)
	}
	has(t, text, "PATH=", "GIVEN=1")
}

func TestACommandIsEndedWithAllItStartedWhenItsTimeIsUp(t *testing.T) {
	out := filepath.Join(t.TempDir(), "pids")
	for limit := 300 * time.Millisecond; len(lines(out)) == 0; limit *= 4 { // a loaded machine may not come so far
		m := newMemory()
		r := onEnd(t, m, "sleep 600 & echo $! $$ > "+out+"; wait", func(e *Exec) { e.limit = limit })
		m.append(done("t1", 1))
		has(t, r.notice(), "task t1", "ended after "+limit.String())
	}
	for _, field := range strings.Fields(lines(out)[0]) {
		pid, _ := strconv.Atoi(field)
		until(t, fmt.Sprintf("process %d is gone", pid), func() bool { return gone(pid) })
	}
}

// gone reports whether a process has ended; a zombie has.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(status), ") Z ")
}

func TestAtMostFourCommandsRunAtATimeAndAllRun(t *testing.T) {
	dir := t.TempDir()
	m := newMemory()
	// Each says that it runs, waits for the word, and says that it is done.
	r := onEnd(t, m, fmt.Sprintf("echo x >> %[1]s/begun; while ! [ -e %[1]s/go ]; do sleep 0.02; done; echo x >> %[1]s/done", dir))
	for n := range 10 {
		m.append(done(fmt.Sprint("t", n), n))
	}
	until(t, "four run", func() bool { return len(lines(dir+"/begun")) == maxCommands })
	m.append(news("other", "task.progress", "queued", 20))
	until(t, "all is folded", r.folded)
	if n := len(lines(dir + "/begun")); n != maxCommands {
		t.Errorf("%d run at a time", n)
	}
	if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "all are done", func() bool { return len(lines(dir+"/done")) == 10 })
}

func TestWhatATaskWasBeforeItsTurnIsNotToldOf(t *testing.T) {
	dir := t.TempDir()
	m := newMemory()
	r := onEnd(t, m, fmt.Sprintf("cat >> %[1]s/told; while ! [ -e %[1]s/go ]; do sleep 0.02; done", dir))
	for n := range maxCommands {
		m.append(done(fmt.Sprint("t", n), n))
	}
	until(t, "all places are taken", func() bool { return len(lines(dir+"/told")) == maxCommands })
	m.append(done("again", 10), news("again", "task.progress", "processing", 11))
	m.append(done("twice", 12), news("twice", "task.failed", "failed", 13))
	m.append(done("last", 14))
	until(t, "all is folded", r.folded)
	if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, "what ended is told of", func() bool { return len(lines(dir+"/told")) >= maxCommands+2 })
	told := lines(dir + "/told")[maxCommands:]
	if len(told) != 2 || !strings.Contains(strings.Join(told, ""), `"last"`) || !strings.Contains(strings.Join(told, ""), `"task_id":"twice","asset_id":"a-twice","user_id":"u","state":"failed"`) {
		t.Errorf("told of %q", told)
	}
}

func TestACommandThatIgnoresItsInputOrLeavesSomethingRunningHasNotFailed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := newMemory()
	r := onEnd(t, m, "echo x >> "+dir+"/done; exec 0<&-; sleep 4 & exit 0")
	m.append(done("t1", 1), done("t2", 2))
	until(t, "both are done", func() bool { return len(lines(dir+"/done")) == 2 })
	r.stop()
	if said := notices(r.status); len(said) != 0 {
		t.Errorf("it said %q", said)
	}
}

func TestAtTheEndCommandsAreWaitedForTwoSeconds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := newMemory()
	r := onEnd(t, m, "echo $$ > "+dir+"/pid; sleep 600")
	m.append(done("t1", 1))
	until(t, "it runs", func() bool { return len(lines(dir+"/pid")) > 0 })
	began := time.Now()
	r.stop()
	if took := time.Since(began); took < Drain || took > Drain+15*time.Second {
		t.Errorf("it took %v", took)
	}
	has(t, r.notice(), "ended with aspectop")
	if n := r.exec.Left(); n != 1 {
		t.Errorf("%d are left", n)
	}
	pid, _ := strconv.Atoi(lines(dir + "/pid")[0])
	until(t, "it is gone", func() bool { return gone(pid) })
}

// left is what a run that has ended leaves to the next.
func (r *execRig) left() int {
	r.stop()
	return r.exec.Left()
}

// tasks are the tasks that a command wrote as JSON, in the order of its runs.
func tasks(path string) (ids []string) {
	for _, line := range lines(path) {
		var task struct {
			ID string `json:"task_id"`
		}
		json.Unmarshal([]byte(line), &task)
		ids = append(ids, task.ID)
	}
	return ids
}

func TestWhatWasNotRunIsRunByTheNextOneOldestFirstAndOneAtATime(t *testing.T) {
	dir := t.TempDir()
	m := newMemory()
	m.append(done("before", 1))
	command := fmt.Sprintf("mkdir %[1]s/alone || echo x >> %[1]s/two; cat >> %[1]s/told; while ! [ -e %[1]s/go ]; do sleep 0.02; done; rmdir %[1]s/alone", dir)
	r := onEnd(t, m, command)
	m.append(done("t0", 2))
	until(t, "the first runs", func() bool { return len(lines(dir+"/told")) == 1 })
	r.close()
	os.Remove(dir + "/alone")
	os.WriteFile(dir+"/told", nil, 0o600)
	want := []string{"t0"}
	for n := 1; n < 10; n++ { // while nobody runs it
		m.append(done(fmt.Sprint("t", n), n+2))
		want = append(want, fmt.Sprint("t", n))
	}
	m.append(done("again", 20), news("again", "task.progress", "processing", 21))

	r = onEnd(t, m, command)
	sameText(t, "the notice", r.notice(), "--exec: 10 tasks have ended since the command last ran: running it for them one at a time, oldest first")
	until(t, "one runs", func() bool { return len(lines(dir+"/told")) == 1 })
	if n := r.left(); n != 10 {
		t.Errorf("%d are left", n)
	}
	os.Remove(dir + "/alone")
	os.WriteFile(dir+"/told", nil, 0o600)
	os.WriteFile(dir+"/go", nil, 0o600)
	r.close()
	r = onEnd(t, m, command)
	until(t, "all are told", func() bool { return len(lines(dir+"/told")) == 10 })
	if n := r.left(); n != 0 {
		t.Errorf("%d are left", n)
	}
	r.close()
	sameText(t, "the order", fmt.Sprint(tasks(dir+"/told")), fmt.Sprint(want))
	if _, err := os.Stat(dir + "/two"); err == nil {
		t.Error("two ran at a time")
	}
	onEnd(t, m, command).close()
	if n := len(lines(dir + "/told")); n != 10 {
		t.Errorf("a fourth run made it %d", n)
	}
}

func TestAFailedCommandHasRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	for range 2 {
		r := onEnd(t, m, "echo x >> "+out+"; exit 1")
		if len(m.kept) == 0 {
			m.append(done("t1", 1))
			has(t, r.notice(), "exit status 1")
		}
		if n := r.left(); n != 0 {
			t.Errorf("%d are left", n)
		}
		r.close()
	}
	if n := len(lines(out)); n != 1 {
		t.Errorf("it ran %d times", n)
	}
}

func TestAnotherCommandLineStartsAnewAndSaysSo(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	r := onEnd(t, m, "true # first")
	r.close()
	if told := notices(r.status); len(told) != 0 {
		t.Errorf("the first says %q", told)
	}
	m.append(done("t1", 1))
	r = onEnd(t, m, "cat >> "+out)
	has(t, r.notice(), "new to the journal", "from now on")
	m.append(done("t2", 2))
	until(t, "it runs", func() bool { return len(lines(out)) == 1 })
	sameText(t, "the tasks", fmt.Sprint(tasks(out)), "[t2]")
	r.close()
	r = onEnd(t, m, "true # first")
	has(t, r.notice(), "2 tasks have ended since")
}

func TestWhatEndedMoreThan28HoursAgoIsCountedAndNotRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	onEnd(t, m, "cat >> "+out).close()
	for n, age := range []time.Duration{30 * time.Hour, 29 * time.Hour, 27 * time.Hour} {
		d := done(fmt.Sprint("t", n), n)
		d.Received = time.Now().Add(-age)
		m.append(d)
	}
	r := onEnd(t, m, "cat >> "+out)
	until(t, "two notices", func() bool { return len(notices(r.status)) == 2 })
	has(t, notices(r.status)[1], "2 tasks have ended more than 28 hours ago")
	until(t, "it runs", func() bool { return len(lines(out)) == 1 })
	sameText(t, "the tasks", fmt.Sprint(tasks(out)), "[t2]")
	r.close()
	r = onEnd(t, m, "cat >> "+out)
	r.close()
	if told := notices(r.status); len(told) != 0 {
		t.Errorf("later it says %q", told)
	}
}

func TestAJournalThatFailsForAWhileLosesNoCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	m := newMemory()
	r := onEnd(t, m, "cat >> "+out)
	m.failSaving(os.ErrPermission)
	m.append(done("t1", 1))
	has(t, r.notice(), "--exec waits: permission denied")
	m.append(done("t2", 2))
	m.failSaving(nil)
	until(t, "both run", func() bool { return len(lines(out)) == 2 })
	if n := r.left(); n != 0 {
		t.Errorf("%d are left", n)
	}
	if cursor, _, _ := m.ForwardCursor(t.Context(), r.exec.Lease()); cursor != 2 {
		t.Errorf("the cursor is %d", cursor)
	}
}
