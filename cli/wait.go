package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/receiver"
	"aspectop/source"
)

type waitFlags struct {
	timeout    settings.Duration
	feature    string
	any, json  bool
	journal    string
	listen     string
	secretFile string

	missed []string // tasks that are done but did not complete
}

func newWait() *cobra.Command {
	var w waitFlags
	cmd := &cobra.Command{
		Use:   "wait TASK...",
		Short: "Block until tasks are done",
		Long: `wait blocks until the tasks are completed, failed or cancelled. A task counts as
failed as soon as a feature fails, and may recover. A task is given by its id or
an unambiguous prefix. wait follows the journal of a running watch; for a task
that is already done there, no watch is needed. Without a watch it polls Aspect's
API if there is a key in ` + settings.KeyVariable + ` (a prefix then only fits a task that is
active at the start). Otherwise it receives webhooks itself and does not store
them; the signing secret comes from ` + settings.SecretVariable + ` or --secret-file.

Exit codes: 0 all completed; 1 at least one failed or was cancelled; 2 usage
error; 3 setup failed, or the watch ended; 124 timeout; 130 interrupted.`,
		Example: `  aspectop wait 2e1c7e42 --timeout 10m
  aspectop wait "$TASK" --feature transcription --json`,
		Args: arguments(1, math.MaxInt, "no task given: aspectop wait TASK..."),
	}
	cmd.RunE = func(cmd *cobra.Command, tasks []string) error {
		if w.timeout == 0 && cmd.Flags().Changed("timeout") {
			return exit.Usage("--timeout 0 would not wait at all; omit it to wait forever")
		}
		return w.run(cmd.Context(), tasks)
	}
	f := cmd.Flags()
	f.Var(&w.timeout, "timeout", "give up after this time, such as 10m (default: never)")
	f.StringVar(&w.feature, "feature", "", "wait for this `feature` of the tasks, such as transcription, to be completed or na")
	f.BoolVar(&w.any, "any", false, "return when the first task is done")
	f.BoolVar(&w.json, "json", false, "print one JSON object per task")
	settings.JournalVar(f, &w.journal, "journal `file` to follow (default: the one that watch writes)")
	f.StringVar(&w.listen, "listen", "127.0.0.1:0", "`address` to listen on if no watch is running")
	settings.PathVar(f, &w.secretFile, "secret-file", "`file` with the signing secrets, if no watch is running", nil)
	return cmd
}

// errTimeout is the cause of a context that --timeout has canceled.
var errTimeout = errors.New("timeout")

// forever is the time without --timeout.
const forever = time.Duration(math.MaxInt64)

func (w *waitFlags) run(ctx context.Context, tasks []string) error {
	goal, err := model.NewWait(tasks, w.feature, w.any)
	if err != nil {
		return exit.Usage("%w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cmp.Or(time.Duration(w.timeout), forever), errTimeout)
	defer cancel()
	err = w.wait(ctx, goal)
	over, good := goal.Over()
	switch {
	case errors.As(err, new(*model.AmbiguousError)):
		return exit.Usage("%w", err)
	case over && good, err != nil && ctx.Err() == nil:
		return err
	case over:
		return errors.New("not completed: " + strings.Join(w.missed, ", "))
	case context.Cause(ctx) != errTimeout:
		return exit.With(exit.Interrupted, errors.New("interrupted"))
	}
	rest := goal.Unfinished()
	for _, o := range rest {
		if err := w.print(o); err != nil {
			return err
		}
	}
	return exit.With(exit.TimedOut, fmt.Errorf("timed out after %s: %d not done", w.timeout.String(), len(rest)))
}

// wait follows the journal of a watch, or waits without one. It returns nil when
// the goal is reached.
func (w *waitFlags) wait(ctx context.Context, goal *model.Wait) error {
	h, reader, err := settings.OpenReader(w.journal)
	if err != nil {
		if w.journal == "" && errors.Is(err, fs.ErrNotExist) {
			return w.withoutWatch(ctx, goal)
		}
		return err
	}
	defer reader.Close()
	reader.OmitHeader()
	who, alive, err := h.Writer()
	if err != nil {
		return exit.Setup(err)
	}
	folded := feed.New(feed.Options{Journal: reader})
	var running sync.WaitGroup
	defer running.Wait()
	folding, stop := context.WithCancel(ctx)
	defer stop()
	running.Go(func() { folded.Run(folding) })
	f := &follower{goal: goal, feed: folded, report: w.print, writer: h.Writer}
	if over, err := f.catchUp(ctx); over || err != nil {
		return err
	}
	switch {
	case alive:
		fmt.Fprintf(os.Stderr, "aspectop: following the watch of %s\n", who)
		err := f.follow(ctx)
		if errors.Is(err, errNoWriter) {
			err = exit.Setup(fmt.Errorf("the watch writing %s (%s) has ended, but the tasks are not done", h, who))
		}
		return err
	case w.journal != "":
		return exit.Setup(fmt.Errorf("the tasks are not done and no watch is writing %s: start aspectop watch, or omit --journal to receive here", h))
	}
	return w.withoutWatch(ctx, goal)
}

// withoutWatch waits without a watch: it polls Aspect's API if there is a key, and
// otherwise receives webhooks itself.
func (w *waitFlags) withoutWatch(ctx context.Context, goal *model.Wait) error {
	client, err := newClient(nil)
	if err != nil {
		return err
	}
	store, err := session.OpenStore(ctx, settings.MemoryLocation, 0)
	if err != nil {
		return err
	}
	defer store.Close()
	if client != nil {
		return w.poll(ctx, goal, store, client)
	}
	return w.receive(ctx, goal, store)
}

func (w *waitFlags) poll(ctx context.Context, goal *model.Wait, store *session.Store, client *aspect.Client) error {
	s := session.New(session.Options{}, store)
	history := source.NewHistory(s.Feed)
	var names []string
	for _, o := range goal.Unfinished() {
		names = append(names, o.TaskID)
	}
	s.Remark("no watch is running, polling Aspect's API every " + defaultPoll.String())
	s.Beside(func(ctx context.Context) (err error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		fail := func(why error) {
			err = why
			stop()
		}
		source.NewPoller(source.PollerConfig{
			API: client, Journal: s.Journal(), History: history, Every: defaultPoll,
			Wanted: func(active []string) []string {
				tasks, err := resolve(names, active)
				if err != nil {
					fail(err)
				}
				return tasks
			},
			Report: func(r source.Report) {
				if rejected(r.Err) {
					fail(r.Err)
				} else if r.Notice != "" {
					fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(r.Notice))
				}
			},
		}).Run(ctx)
		return err
	})
	return w.followOwn(ctx, s, goal)
}

// resolve returns the tasks with these names among the active ones. A name that fits
// none is taken for a full id: the API finds a task that is done only by that.
func resolve(names, active []string) (tasks []string, err error) {
	for _, name := range names {
		id, err := model.Meant(name, active)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, cmp.Or(id, name))
	}
	return tasks, nil
}

// rejected reports whether Aspect does not accept the key, so that polling on is
// useless.
func rejected(err error) bool {
	refused, ok := errors.AsType[*aspect.APIError](err)
	return ok && (refused.Status == http.StatusUnauthorized || refused.Status == http.StatusForbidden)
}

func (w *waitFlags) receive(ctx context.Context, goal *model.Wait, store *session.Store) error {
	secrets, err := settings.ReadSecrets(w.secretFile)
	if errors.Is(err, settings.ErrNoSecret) {
		return exit.Usage("no watch is running: start aspectop watch, or set %s to poll Aspect's API or %s to receive webhooks", settings.KeyVariable, settings.SecretVariable)
	} else if err != nil {
		return err
	}
	s := session.New(session.Options{Secrets: secrets, Path: receiver.DefaultPath}, store)
	defer s.Close()
	if err := s.Listen(w.listen, false); err != nil {
		return err
	}
	s.Remark("no watch is running, receiving on " + s.URL())
	return w.followOwn(ctx, s, goal)
}

func (w *waitFlags) followOwn(ctx context.Context, s *session.Session, goal *model.Wait) error {
	f := &follower{goal: goal, feed: s.Feed, report: w.print}
	return s.RunWith(ctx, func(shown context.Context) error {
		err := f.follow(shown)
		if shown.Err() != nil {
			return nil // the session's own error says why
		}
		return err
	})
}

func (w *waitFlags) print(o model.Outcome) error {
	if o.Done && o.State != model.Completed && o.State != model.NA {
		w.missed = append(w.missed, fmt.Sprintf("task %s %s", o.TaskID, strings.TrimSpace(o.Feature+" "+string(o.State))))
	}
	return printer.WriteResult(os.Stdout, formatOf(w.json), time.Now(), o)
}

const (
	// unreadableTimeout is how long the journal may be unreadable: a database may be
	// failing over.
	unreadableTimeout = 30 * time.Second
	// writerEvery is the interval at which the writer and the journal are checked.
	writerEvery = 500 * time.Millisecond
	// readLimit is the maximum number of deliveries read at once.
	readLimit = 1000
)

var errNoWriter = errors.New("no process is writing the journal")

// follower follows a feed until a goal is reached.
type follower struct {
	goal   *model.Wait
	feed   *feed.Feed
	report func(model.Outcome) error
	// writer reports who is writing the journal; nil if it is this process.
	writer func() (who string, alive bool, err error)
	seq    int64     // of the last delivery read
	failed time.Time // when the journal became unreadable; zero if it is not
}

// catchUp judges the tasks as they are now: one that failed yesterday and is running
// again is not done. It reports whether the goal is reached.
func (f *follower) catchUp(ctx context.Context) (over bool, err error) {
	for loaded := false; !loaded; {
		wait, cancel := context.WithTimeout(ctx, writerEvery)
		loaded = f.feed.Loaded(wait) == nil
		cancel()
		if err := cmp.Or(ctx.Err(), f.trouble()); err != nil {
			return false, err
		}
	}
	f.feed.RLock()
	f.seq = f.feed.Seen()
	outcomes, err := f.goal.Look(f.feed.Board())
	f.feed.RUnlock()
	if err == nil {
		err = f.print(outcomes)
	}
	over, _ = f.goal.Over()
	return over, err
}

// follow reads new deliveries and returns nil when the goal is reached.
func (f *follower) follow(ctx context.Context) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	news := f.feed.News(waiting)
	tick := time.NewTicker(writerEvery)
	defer tick.Stop()
	for gone := false; ; {
		if err := f.take(ctx); err != nil {
			return err
		}
		if over, _ := f.goal.Over(); over {
			return nil
		}
		if gone {
			return errNoWriter
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		case <-tick.C:
			if f.writer == nil {
				continue
			}
			if _, alive, err := f.writer(); err == nil && !alive {
				gone = true
				if err := f.feed.CatchUp(ctx); err != nil {
					return err
				}
			}
		}
	}
}

func (f *follower) take(ctx context.Context) error {
	for {
		arrivals, err := f.feed.Read(ctx, f.seq, readLimit)
		if err := cmp.Or(ctx.Err(), f.trouble()); err != nil {
			return err
		}
		if err != nil || len(arrivals) == 0 {
			return nil // a reason that lasts is the feed's trouble too
		}
		for _, a := range arrivals {
			f.seq = a.Seq
			var outcomes []model.Outcome
			f.feed.RLock()
			if t, effect := f.feed.Effect(a); t != nil && !a.Repeat() {
				outcomes = f.goal.See(t, &effect)
			}
			f.feed.RUnlock()
			if err := f.print(outcomes); err != nil {
				return err
			}
		}
	}
}

// trouble is why the journal has been unreadable for longer than unreadableTimeout.
func (f *follower) trouble() error {
	f.feed.RLock()
	defer f.feed.RUnlock()
	switch why := f.feed.Trouble(); {
	case why == "":
		f.failed = time.Time{}
	case f.failed.IsZero():
		f.failed = time.Now()
	case time.Since(f.failed) > unreadableTimeout:
		return errors.New(why)
	}
	return nil
}

func (f *follower) print(outcomes []model.Outcome) error {
	for _, o := range outcomes {
		if err := f.report(o); err != nil {
			return err
		}
	}
	for _, id := range f.goal.Gone() {
		fmt.Fprintf(os.Stderr, "aspectop: Aspect does not know a task %s (yet); still waiting for it\n", clean.Text(id))
	}
	return nil
}
