package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/receiver"
	"aspectop/source"
)

// waitFlags are the flags of wait.
type waitFlags struct {
	timeout    span
	feature    string
	any, json  bool
	journal    string
	listen     string
	secretFile string

	tasks  []string // as they were named
	missed []string // what was done and did not succeed
}

func newWait() *cobra.Command {
	var w waitFlags
	cmd := &cobra.Command{
		Use:   "wait TASK...",
		Short: "Block until tasks are done",
		Long: `wait blocks until the tasks, each named by its id or a beginning of it that fits
no other, are completed, failed or cancelled. It follows the journal of a running
watch; a task that is done there already needs no watch. Without one it asks
Aspect's API if there is a key in ` + keyVariable + ` (then by whole ids), and else
receives webhooks itself, and forgets them at the end; the signing secret then
comes from ` + secretVariable + ` or --secret-file.

Exit codes: 0 completed; 1 failed or cancelled (of several tasks, one at least);
2 wrong use; 3 set-up failed, or the watch ended; 124 time-out; 130 interrupted.`,
		Example: `  aspectop wait 2e1c7e42 --timeout 10m
  aspectop wait "$TASK" --feature transcription --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("name the tasks to wait for: aspectop wait TASK...")
			}
			return nil
		},
	}
	cmd.RunE = func(cmd *cobra.Command, tasks []string) error {
		if w.timeout == 0 && cmd.Flags().Changed("timeout") {
			return usageError("--timeout 0 would never wait; leave it out to wait for ever")
		}
		return w.run(cmd.Context(), tasks)
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.Var(&w.timeout, "timeout", "give up after this time, such as 10m (default: never)")
	f.StringVar(&w.feature, "feature", "", "wait for this `feature` of the tasks, such as transcription: completed or na is good")
	f.BoolVar(&w.any, "any", false, "the first task that is done decides")
	f.BoolVar(&w.json, "json", false, "print one JSON object a task")
	f.StringVar(&w.journal, "journal", "", "journal `file` of the watch to follow (default: where watch keeps it)")
	f.StringVar(&w.listen, "listen", "127.0.0.1:0", "`address` to receive on where no watch runs")
	f.StringVar(&w.secretFile, "secret-file", "", "`file` that holds the signing secrets, where no watch runs")
	return cmd
}

// errTimeout is the cause of a context that --timeout has ended.
var errTimeout = errors.New("time-out")

func (w *waitFlags) run(ctx context.Context, tasks []string) error {
	w.tasks = tasks
	goal, err := model.NewWait(tasks, w.feature, w.any)
	if err != nil {
		return usageError("%w", err)
	}
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(w.timeout), errTimeout)
		defer cancel()
	}
	err = w.wait(ctx, goal)
	over, good := goal.Over()
	switch {
	case errors.As(err, new(*model.AmbiguousError)):
		return usageError("%w", err)
	case over && good, err != nil && ctx.Err() == nil:
		return err
	case over:
		return errors.New("done, but not completed: " + strings.Join(w.missed, ", "))
	case context.Cause(ctx) != errTimeout:
		return &exitError{exitInterrupted, errors.New("interrupted")}
	}
	rest := goal.Unfinished()
	for _, o := range rest {
		if err := w.tell(o); err != nil {
			return err
		}
	}
	return &exitError{exitTimeout, fmt.Errorf("time-out: after %s, %d not done", w.timeout.String(), len(rest))}
}

// wait waits with the journal of a watch, or with a receiver of its own. It
// returns nil when the goal is reached.
func (w *waitFlags) wait(ctx context.Context, goal *model.Wait) error {
	h, reader, err := openReader(w.journal)
	if err != nil {
		if w.journal == "" && errors.Is(err, fs.ErrNotExist) {
			return w.alone(ctx, goal, 0)
		}
		return err
	}
	defer reader.Close()
	reader.OmitHeader()
	who, alive, err := h.writer()
	if err != nil {
		return setupError(err)
	}
	f := &following{goal: goal, reader: reader, tell: w.tell, writer: func() (bool, error) {
		_, alive, err := h.writer()
		return alive, err
	}}
	if over, err := f.catchUp(ctx); over || err != nil {
		return err
	}
	switch {
	case alive:
		fmt.Fprintf(os.Stderr, "aspectop: following the watch of %s\n", who)
		err := f.follow(ctx)
		if errors.Is(err, errNoWriter) {
			err = setupError(fmt.Errorf("the watch that wrote %s (%s) has ended, and the tasks are not done", h, who))
		}
		return err
	case w.journal != "":
		return setupError(fmt.Errorf("the tasks are not done, and no watch writes %s; start aspectop watch, or leave out --journal to receive here", h))
	}
	return w.alone(ctx, goal, f.seq)
}

// alone waits where no watch runs: by asking Aspect's API if there is a key,
// else with a receiver of its own.
func (w *waitFlags) alone(ctx context.Context, goal *model.Wait, known int64) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	if client != nil {
		return w.poll(ctx, goal, client, known)
	}
	return w.receive(ctx, goal, known)
}

// poll waits by asking Aspect's API.
func (w *waitFlags) poll(ctx context.Context, goal *model.Wait, client *aspect.Client, known int64) error {
	s := newSession(output{}, nil)
	if err := s.openJournal(ctx, memoryHome, 0); err != nil {
		return err
	}
	defer s.close()
	history, err := s.openReader()
	if err != nil {
		return err
	}
	poller := source.NewPoller(source.PollerConfig{
		API: client, Journal: s.journal, History: source.NewHistory(history), Every: defaultPoll, Tasks: w.tasks,
		Report: func(r source.Report) {
			if r.Notice != "" {
				fmt.Fprintln(os.Stderr, "aspectop: "+printer.Clean(r.Notice))
			}
		},
	})
	fmt.Fprintln(os.Stderr, "aspectop: no watch is running here, asking Aspect's API every "+defaultPoll.String())
	s.beside = append(s.beside, untilEnd(poller.Run))
	f := &following{goal: goal, reader: s.reader, tell: w.tell, shift: known}
	s.instead = func(shown context.Context) error {
		err := f.follow(shown)
		if shown.Err() != nil {
			return nil
		}
		return err
	}
	return s.run(ctx)
}

// receive waits with a receiver of its own. Older deliveries, up to the number
// known, were taken to account before.
func (w *waitFlags) receive(ctx context.Context, goal *model.Wait, known int64) error {
	secrets, err := readSecrets(w.secretFile)
	if errors.Is(err, errNothingToWatch) {
		return usageError("no watch is running here: start aspectop watch, or set %s to ask Aspect's API, or %s to receive webhooks", keyVariable, secretVariable)
	} else if err != nil {
		return err
	}
	s := newSession(output{}, nil)
	s.secrets, s.path = secrets, receiver.DefaultPath
	if err := s.openJournal(ctx, memoryHome, 0); err != nil {
		return err
	}
	defer s.close()
	if err := s.listen(w.listen, false); err != nil {
		return err
	}
	for _, remark := range append(s.remarks, "no watch is running here, receiving on "+s.url()) {
		fmt.Fprintln(os.Stderr, "aspectop: "+remark)
	}
	s.reader.OmitHeader()
	f := &following{goal: goal, reader: s.reader, tell: w.tell, shift: known}
	s.instead = func(shown context.Context) error {
		err := f.follow(shown)
		if shown.Err() != nil {
			return nil // the receiver ended, and says why
		}
		return err
	}
	return s.run(ctx)
}

// tell prints how far one task came.
func (w *waitFlags) tell(o model.Outcome) error {
	if o.Done && o.State != model.Completed && o.State != model.NA {
		w.missed = append(w.missed, fmt.Sprintf("task %s %s", o.TaskID, strings.TrimSpace(o.Feature+" "+string(o.State))))
	}
	format := printer.Plain
	if w.json {
		format = printer.JSON
	}
	return printer.WriteResult(os.Stdout, format, time.Now(), o)
}
