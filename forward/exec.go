package forward

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/jsonl"
	"aspectop/model"
)

// maxCommands is how many commands run at a time.
const maxCommands = 4

// Exec runs a command for each task that ends after the feed was opened, that is,
// becomes completed, failed or cancelled, or changes from one of these to another.
//
// The command gets the task as one line of JSON on its standard input:
//
//	{"task_id":"…","asset_id":"…","user_id":"…","state":"completed",
//	 "features":{"visual":"completed"},"created":"…","updated":"…"}
//
// (on one line; times are RFC 3339 or null). Its output is discarded. At most four
// commands run at a time, each in a process group of its own that is killed after
// a minute.
type Exec struct {
	Command string   // a line for the shell: sh, on Windows cmd
	Env     []string // of the command; nil is that of this process, secrets and all
	// Feed is open, and run by the caller until Run has returned.
	Feed *feed.Feed
	// Status receives a notice for each command that fails.
	Status *model.StatusLog

	limit time.Duration // 0 is commandLimit
}

// Run runs commands until ctx ends. Then it gives running commands two seconds and
// kills them. The error is nil unless the journal was closed; other failures of the
// journal are reported to Status and waited out. It must be called only once.
func (e *Exec) Run(ctx context.Context) error {
	if e.Feed.Loaded(ctx) != nil {
		return nil
	}
	running, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	r := &execRun{Exec: e, read: e.Feed.Opened(), pending: map[string]bool{}, done: make(chan error, maxCommands)}
	err := r.follow(ctx, running)
	timer := time.AfterFunc(Drain, func() { stop(errors.New("ended with aspectop")) })
	defer timer.Stop()
	for r.running > 0 {
		r.ended(<-r.done)
	}
	return err
}

// execRun is a call of [Exec.Run]. It belongs to one goroutine.
type execRun struct {
	*Exec
	read    int64
	queue   []string // ids of tasks that have ended
	pending map[string]bool
	running int
	done    chan error
	trouble string // with the journal, as it was last reported
}

func (r *execRun) notice(text string) {
	r.Status.Add(model.Status{At: time.Now().UTC(), Notice: text})
}

func (r *execRun) follow(ctx, running context.Context) error {
	news := r.Feed.News(ctx)
	for ctx.Err() == nil {
		more, err := r.take(running)
		if errors.Is(err, journal.ErrClosed) {
			return err
		} else if err != nil {
			if text := "--exec waits: " + err.Error(); text != r.trouble {
				r.trouble = text
				r.notice(text)
			}
			_ = broadcast.Sleep(ctx, retryTime)
			continue
		}
		r.trouble = ""
		for len(r.queue) > 0 && r.running < maxCommands {
			r.start(running)
		}
		if more && len(r.done) == 0 {
			continue
		}
		select {
		case err := <-r.done:
			r.ended(err)
		case <-news:
		case <-ctx.Done():
		}
	}
	return nil
}

// take reads the next deliveries and queues the tasks that they end.
func (r *execRun) take(ctx context.Context) (more bool, err error) {
	found, err := r.Feed.Read(ctx, r.read, batch)
	for _, a := range found {
		r.read = a.Seq
		r.Feed.RLock()
		_, effect := r.Feed.Effect(a)
		r.Feed.RUnlock()
		if effect.Ended() && !r.pending[a.Task.ID] {
			r.pending[a.Task.ID] = true
			r.queue = append(r.queue, a.Task.ID)
		}
	}
	return len(found) > 0, err
}

// start runs the command for the task that has waited longest.
func (r *execRun) start(ctx context.Context) {
	id := r.queue[0]
	r.queue = r.queue[1:]
	delete(r.pending, id)
	input := r.input(id)
	if input == nil {
		return // it was taken up again; it will end again
	}
	r.running++
	go func() {
		err := RunCommand(ctx, r.Command, r.Env, input, nil, cmp.Or(r.limit, commandLimit))
		if err != nil {
			err = fmt.Errorf("--exec failed for task %s: %w", clean.Line(id), err)
		}
		r.done <- err
	}()
}

func (r *execRun) ended(err error) {
	r.running--
	if err != nil {
		r.notice(err.Error())
	}
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
