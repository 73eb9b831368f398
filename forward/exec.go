package forward

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/jsonl"
	"aspectop/model"
	"aspectop/words"
)

const (
	// maxCommands is how many commands run at a time.
	maxCommands = 4
	// oldestEnd is how long after a task ended its command is still run, as long as Svix
	// delivers.
	oldestEnd = 28 * time.Hour
	leftTime  = 5 * time.Second
	// execPrefix begins the keys under which it is kept how far commands came.
	execPrefix = "the command of --exec "
)

// errEnded is why a command was ended that may run again.
var errEnded = errors.New("ended with aspectop before it was done")

// Exec runs a command for each task that ends, that is, becomes completed, failed or
// cancelled, or changes from one of these to another. It does so at least once for all
// that end while it is open, and since an earlier one with the same command line on the
// same journal was open, unless that is more than 28 hours ago. A command that fails has
// run. A task that ends again before its turn has one turn, and one that is active again
// has none.
//
// The command gets the task as one line of JSON on its standard input:
//
//	{"task_id":"…","asset_id":"…","user_id":"…","state":"completed",
//	 "features":{"visual":"completed"},"created":"…","updated":"…"}
//
// (on one line; times are RFC 3339 or null). Its output is discarded. What an earlier run
// left is done one at a time, oldest first; then at most four commands run at a time. Each
// is in a process group of its own that is killed after a minute.
type Exec struct {
	Command string   // a line for the shell: sh, on Windows cmd
	Env     []string // of the command; nil is that of this process, secrets and all
	// Feed is open, and run by the caller until Run has returned.
	Feed     *feed.Feed
	Journal  Journal
	Outcomes Outcomes
	// Status receives a notice for each command that fails, and for what is owed.
	Status *model.StatusLog

	limit time.Duration           // 0 is commandLimit
	rest  atomic.Pointer[execRun] // of the last Run
}

// Lease names what one process of a shared journal does at a time. It does not contain the
// command line, which may contain a password.
func (e *Exec) Lease() string {
	sum := sha256.Sum256([]byte(e.Command))
	return fmt.Sprintf("%s(%x)", execPrefix, sum[:8])
}

// Open is called before deliveries are received: for a command line that the journal
// does not know, what was there before is not owed.
func (e *Exec) Open(ctx context.Context) error {
	_, known, err := e.Journal.ForwardCursor(ctx, e.Lease())
	if err != nil || known {
		return err
	}
	_, last, err := e.Feed.Range(ctx)
	if err != nil {
		return err
	}
	targets, err := e.Journal.ForwardTargets(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(targets, func(t journal.ForwardTarget) bool { return strings.HasPrefix(t.Key, execPrefix) }) {
		e.Status.Notice("--exec: this command line is new to the journal, so it runs for tasks that end from now on; tasks that were left to another command line stay with that one")
	}
	return e.save(last)
}

// save keeps that all ends up to a number are done.
func (e *Exec) save(cursor int64) error {
	return e.Outcomes.SaveForwards(e.Lease(), "--exec", cursor, nil)
}

// Run runs commands until ctx ends. Then it gives running commands two seconds and
// kills them. Trouble with the journal is reported to Status and waited out; the error is
// nil unless the journal was closed, or it could not be stored how far it came. After it
// has returned it may be called again: it goes on where the journal says.
func (e *Exec) Run(ctx context.Context) error {
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	r := &execRun{Exec: e, open: newWindow(), pending: map[string]*ending{}, done: make(chan *ending, maxCommands)}
	err := r.follow(ctx, running)
	timer := time.AfterFunc(Drain, func() { stop(errEnded) })
	defer timer.Stop()
	for r.running > 0 {
		r.settle(<-r.done)
	}
	if err == nil && r.begun {
		err = r.keep(true)
	}
	if errors.Is(context.Cause(ctx), journal.ErrLeaseLost) {
		r = nil // another process may run them
	}
	e.rest.Store(r)
	return err
}

// Left returns how many tasks the command is still to be run for, once Run has returned
// and the last delivery has come; -1 if that cannot be read within five seconds. What
// another process runs is not counted.
func (e *Exec) Left() int {
	ctx, cancel := context.WithTimeout(context.Background(), leftTime)
	defer cancel()
	r := e.rest.Load()
	if r == nil {
		return 0
	}
	if !r.begun && r.begin(ctx) != nil {
		return -1
	}
	for more := true; more; {
		var err error
		if more, err = r.take(ctx); err != nil {
			return -1
		}
	}
	return r.owed(math.MaxInt64)
}

// execRun is a call of [Exec.Run]. It belongs to one goroutine.
type execRun struct {
	*Exec
	begun   bool
	read    int64  // the last number read from the journal
	backlog int64  // the last one before this process
	tooOld  int    // ends in it that are not run for
	open    window // the numbers of ends that are not done
	queue   []*ending
	pending map[string]*ending // what is in the queue, by task
	running int
	done    chan *ending
	kept    int64  // the cursor as stored in the journal
	changed bool   // something was done since
	trouble string // with the journal, as it was last reported
}

// ending is a turn of a task that has ended.
type ending struct {
	task string
	seqs []int64 // that ended it
	err  error   // of the command
}

func (r *execRun) follow(ctx, running context.Context) error {
	news := r.Feed.News(ctx)
	for ctx.Err() == nil {
		more, err := r.turn(ctx, running)
		if errors.Is(err, journal.ErrClosed) {
			return err
		} else if err != nil && ctx.Err() == nil {
			if text := "--exec waits: " + err.Error(); text != r.trouble {
				r.trouble = text
				r.Status.Notice(text)
			}
			_ = broadcast.Sleep(ctx, retryTime)
			continue
		}
		r.trouble = ""
		if more && len(r.done) == 0 {
			continue
		}
		select {
		case e := <-r.done:
			r.settle(e)
		case <-news:
		case <-ctx.Done():
		}
	}
	return nil
}

// turn reads on, starts commands and keeps how far they came.
func (r *execRun) turn(ctx, running context.Context) (more bool, err error) {
	if !r.begun {
		if err := r.begin(ctx); err != nil {
			return false, err
		}
		r.tell()
	}
	if more, err = r.take(running); err != nil {
		return false, err
	}
	for r.mayStart() {
		r.start(running)
	}
	return more, r.keep(false)
}

// begin reads what is owed since an earlier run.
func (r *execRun) begin(ctx context.Context) error {
	if err := r.Feed.Loaded(ctx); err != nil {
		return err
	}
	start, _, err := r.Journal.ForwardCursor(ctx, r.Lease())
	if err != nil {
		return err
	}
	r.backlog = r.Feed.Opened()
	// A journal that lost its last deliveries to damage reuses their numbers.
	_, last, err := r.Feed.Range(ctx)
	if err != nil {
		return err
	}
	r.read = min(start, last)
	r.kept, r.tooOld, r.open, r.queue, r.pending = r.read, 0, newWindow(), nil, map[string]*ending{}
	for more := true; more && r.read < r.backlog; {
		if more, err = r.take(ctx); err != nil {
			return err
		}
	}
	r.begun = true
	return nil
}

// tell tells how much is owed since an earlier run.
func (r *execRun) tell() {
	if n := r.owed(r.backlog); n > 0 {
		least := ""
		if r.open.len() >= maxOpen {
			least = "at least "
		}
		r.Status.Notice("--exec: " + least + words.Count(n, "task has", "tasks have") + " ended since the command last ran: running it for them one at a time, oldest first")
	}
	if r.tooOld > 0 {
		r.Status.Notice("--exec: " + words.Count(r.tooOld, "task has", "tasks have") + " ended more than 28 hours ago: the command is not run for them")
	}
}

// take reads the next deliveries and queues the tasks that they end.
func (r *execRun) take(ctx context.Context) (more bool, err error) {
	if r.open.len() >= maxOpen {
		return false, nil
	}
	found, err := r.Feed.Read(ctx, r.read, batch)
	for _, a := range found {
		r.read = a.Seq
		r.Feed.RLock()
		_, effect := r.Feed.Effect(a)
		r.Feed.RUnlock()
		switch {
		case !effect.Ended():
		case time.Since(a.Received) > oldestEnd:
			r.tooOld++
			r.changed = true
		default:
			e := r.pending[a.Task.ID]
			if e == nil {
				e = &ending{task: a.Task.ID}
				r.pending[e.task], r.queue = e, append(r.queue, e)
			}
			e.seqs = append(e.seqs, a.Seq)
			r.open.add(a.Seq)
		}
	}
	return len(found) > 0, err
}

// owed is how many tasks that ended up to a number wait for their turn and have not been
// taken up again.
func (r *execRun) owed(until int64) (n int) {
	r.Feed.RLock()
	defer r.Feed.RUnlock()
	for task, e := range r.pending {
		if e.seqs[0] <= until && r.Feed.Board().Task(task).State().Terminal() {
			n++
		}
	}
	return n
}

func (r *execRun) mayStart() bool {
	return len(r.queue) > 0 && (r.running == 0 || r.running < maxCommands && r.queue[0].seqs[0] > r.backlog)
}

// start runs the command for the task that has waited longest.
func (r *execRun) start(ctx context.Context) {
	e := r.queue[0]
	r.queue = r.queue[1:]
	delete(r.pending, e.task)
	input := r.input(e.task)
	if input == nil { // it was taken up again; it will end again
		r.close(e)
		return
	}
	r.running++
	go func() {
		e.err = RunCommand(ctx, r.Command, r.Env, input, nil, cmp.Or(r.limit, commandLimit))
		r.done <- e
	}()
}

// settle notes that a command has ended. One that the end of aspectop has ended is still
// owed.
func (r *execRun) settle(e *ending) {
	r.running--
	if e.err != nil {
		r.Status.Notice(fmt.Sprintf("--exec failed for task %s: %v", clean.Line(e.task), e.err))
	}
	if !errors.Is(e.err, errEnded) {
		r.close(e)
	} else if r.pending[e.task] == nil {
		r.pending[e.task] = e
	}
}

// close notes that nothing more is to be done about an ending.
func (r *execRun) close(e *ending) {
	for _, seq := range e.seqs {
		r.open.settle(seq)
	}
	r.changed = true
}

// keep stores how far commands came, the last time or if it is worth a transaction.
func (r *execRun) keep(last bool) error {
	cursor := r.open.settledUpTo(r.read)
	if cursor == r.kept || !last && !r.changed && cursor < r.kept+1000 {
		return nil
	}
	if err := r.save(cursor); err != nil {
		return err
	}
	r.kept, r.changed = cursor, false
	return nil
}

// input is what the command gets of a task, nil if the task is active again.
func (r *execRun) input(id string) []byte {
	r.Feed.RLock()
	defer r.Feed.RUnlock()
	if t := r.Feed.Board().Task(id); t.State().Terminal() {
		return taskJSON(t)
	}
	return nil
}

// taskJSON returns the task as the command reads it.
func taskJSON(t *model.Task) []byte {
	var o jsonl.Object
	o.Begin('{')
	o.Text("task_id", t.ID())
	o.Text("asset_id", t.AssetID())
	o.Text("user_id", t.UserID())
	o.Text("state", string(t.State()))
	o.Key("features")
	o.Begin('{')
	for _, f := range t.Features() {
		o.Text(f.Name, string(f.State))
	}
	o.End('}')
	o.Time("created", t.Created())
	o.Time("updated", t.Updated())
	o.End('}')
	return append(o, '\n')
}

const (
	commandLimit = time.Minute // that a command may run
	tailBytes    = 4096        // kept of what a command writes to its standard error
	tailLines    = 3           // shown of it
)

// RunCommand runs a shell command line with input and environment, and ends it, with all that
// it has started, when ctx ends or it reaches the limit. output gets its standard output;
// nil discards it. The error ends with the last lines of its standard error.
func RunCommand(ctx context.Context, line string, env []string, input []byte, output io.Writer, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("ended after %v, the longest it may run", limit))
	defer cancel()
	cmd := shell(ctx, line)
	cmd.Env = env
	cmd.Stdin = bytes.NewReader(input)
	cmd.Stdout = output
	complaint := &tail{}
	cmd.Stderr = complaint
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = Drain // for its children that hold its standard error
	err := cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // whatever its children do
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if text := complaint.lines(); text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

// tail keeps the last tailBytes bytes that are written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-tailBytes):]...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(p), nil
}

// lines returns the last lines that are not blank, joined to one line of plain
// text.
func (t *tail) lines() string {
	var lines []string
	for line := range bytes.Lines(t.kept) {
		if text := clean.Line(string(line)); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], " / ")
}
