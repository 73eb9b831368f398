// Package forward posts kept deliveries to the user's own handler as they
// arrive ([Forwarder]), posts old ones again ([Replay], [Resend]), and runs a command
// for each task that ends ([Exec]).
//
// Handlers get what Svix sent: the same bytes under the same svix-id, signed again
// only if the original signature is too old. The journal is the queue, so
// forwarding never delays the acknowledgement of a delivery. The package verifies and
// prints nothing: it reports through the journal and the status log.
package forward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"aspectop/broadcast"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/sig"
)

// Journal has the outcomes of earlier forwards: a reader of package journal.
type Journal interface {
	ForwardCursor(ctx context.Context, key string) (cursor int64, known bool, err error)
	SettledForwards(ctx context.Context, key string, seq, last int64) ([]int64, error)
	Forwards(ctx context.Context, seq int64) ([]model.Forward, error)
	ForwardTargets(ctx context.Context) ([]journal.ForwardTarget, error)
}

// Outcomes stores outcomes: the writer of package journal.
type Outcomes interface {
	SaveForwards(key, url string, cursor int64, outcomes []model.Forward) error
}

// Options of a Forwarder.
type Options struct {
	Target
	// Feed has the deliveries. It is open, and run by the caller until Run has returned.
	Feed     *feed.Feed
	Journal  Journal
	Outcomes Outcomes
	// Resign returns the signer for deliveries whose timestamp is too old, given
	// the name of the secret that verified them; nil if it is no longer known: then
	// the delivery is posted as it is. For events of the stream, which nothing verified,
	// the name is "".
	Resign func(secret string) sig.Signer
	// Sign, if set, signs every delivery with the handler's own secret instead.
	Sign sig.Signer
	// Status receives an entry for each attempt.
	Status *model.StatusLog
}

// Forwarder posts what arrives in a journal to one handler. Messages of a task
// are posted in the order they arrived, one at a time; tasks proceed in parallel,
// with at most 16 requests in flight. Delivery is at least once: a request that
// the end of this process interrupted is made again.
//
// A message is settled by a 2xx answer, and by a 4xx other than 408 and 429.
// Otherwise it is retried by [RetryPolicy], or when Retry-After says, for up to 15
// minutes; then the Forwarder gives up and posts the task's next message. When a
// handler that could not be reached answers again, everything that waits for it is
// retried at once.
//
// The journal is the queue. Memory holds only the numbers of up to 65,536
// unsettled messages and the bodies of those in flight; while that many wait, the
// Forwarder reads no further.
type Forwarder struct {
	options Options
	target  *Handler
	start   int64 // the cursor to begin from
	end     int64 // of the journal at that time: outcomes may be known up to here

	unsigned sync.Once // says that events of the stream cannot be signed
	recalled sync.Once // is done when earlier runs are known

	saving sync.Mutex    // held from reading the cursor to storing it
	kick   chan struct{} // signals that asked is not empty
	mu     sync.Mutex    // guards what follows
	asked  []ask
	queue  model.Queue
}

// New returns a Forwarder for one handler. It continues where an earlier one for
// the same handler stopped; for a handler that the journal does not know, it
// starts with what arrives after New.
func New(ctx context.Context, o Options) (*Forwarder, error) {
	t, err := NewHandler(o.Target)
	if err != nil {
		return nil, err
	}
	f := &Forwarder{options: o, target: t, kick: make(chan struct{}, 1), queue: model.Queue{To: t.shown, Name: o.Name}}
	known, err := f.locate(ctx)
	if err != nil || known {
		return f, err
	}
	targets, err := o.Journal.ForwardTargets(ctx)
	if err != nil {
		return f, err
	}
	if i := slices.IndexFunc(targets, t.isOf); i >= 0 {
		t.key = targets[i].Key
		_, err := f.locate(ctx)
		return f, err
	}
	f.start = f.end
	return f, o.Outcomes.SaveForwards(t.key, t.shown, f.start, nil)
}

// locate finds where to go on, and whether the journal knows the handler.
func (f *Forwarder) locate(ctx context.Context) (known bool, err error) {
	if _, f.end, err = f.options.Feed.Range(ctx); err != nil {
		return false, err
	}
	f.start, known, err = f.options.Journal.ForwardCursor(ctx, f.target.key)
	// A journal that lost its last deliveries to damage reuses their numbers.
	f.start = min(f.start, f.end)
	return known, err
}

// To is the handler's URL without credentials, as in [model.Forward].
func (f *Forwarder) To() string { return f.target.shown }

// Name is how the handler is called: by the user, or else by [Forwarder.To].
func (f *Forwarder) Name() string { return cmp.Or(f.options.Name, f.To()) }

// Queue returns the present state of the queue. It may be called by any goroutine.
func (f *Forwarder) Queue() model.Queue {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue
}

// forwards reports whether the handler gets an arrival: a webhook that is no repeat, and an
// event of the stream if there is a secret to sign it with.
func (f *Forwarder) forwards(a *feed.Arrival) bool {
	switch {
	case a.Repeat() || a.Source == model.SourceAPI, f.options.Filter != nil && !f.options.Filter(a):
		return false
	case a.Source == model.SourceWebhook || f.signer("") != nil:
		return true
	}
	f.unsigned.Do(func() {
		f.options.Status.Notice("events of the event stream are not forwarded to " + f.Name() +
			": no secret is known to sign them with; set ASPECT_WEBHOOK_SECRET, or the handler's own with --forward-secret-env")
	})
	return false
}

// signer signs anew what a secret verified, "" for what came without a signature; nil if
// no secret is known for that.
func (f *Forwarder) signer(secret string) sig.Signer {
	if f.options.Sign != nil || f.options.Resign == nil {
		return f.options.Sign
	}
	return f.options.Resign(secret)
}

// partitionOf is the key of a message's partition.
func partitionOf(a *feed.Arrival) string {
	if a.Task == nil {
		return fmt.Sprint("message ", a.Message)
	}
	return "task " + a.Task.ID
}

// attempt posts one message. Errors are of the journal.
func (f *Forwarder) attempt(ctx context.Context, seq int64) (model.Forward, Answer, error) {
	d, err := f.options.Feed.Delivery(ctx, seq)
	if err != nil {
		return model.Forward{}, Answer{}, err
	}
	now := time.Now()
	old := age(&d, now)
	sign := f.options.Sign
	if sign == nil && old > oldest {
		sign = f.signer(d.Secret)
	}
	out, a := f.target.post(ctx, &d, d.ID, sign, f.keyOf(&d))
	if sign == nil && old > oldest && a.judged() {
		out.Hint = fmt.Sprintf("it was signed %s ago, and its secret (%q) is no longer known here, so it cannot be re-signed", old.Round(time.Second), d.Secret)
	}
	return out, a, nil
}

// keyOf is the name of the secret that the handler has to verify a delivery with.
func (f *Forwarder) keyOf(d *model.Delivery) string {
	if f.options.Sign != nil {
		return "the secret that forwards are signed with (--forward-secret-env)"
	}
	return nameOfKey(d)
}

// recall learns what the handler accepted from the newest outcomes in the journal. What
// cannot be read is not known.
func (f *Forwarder) recall(ctx context.Context) {
	const outcomes, numbers = 200, 1000
	settled, _ := f.options.Journal.SettledForwards(ctx, f.target.key, max(0, f.end-numbers), f.end)
	for _, seq := range settled[max(0, len(settled)-outcomes):] {
		found, err := f.options.Journal.Forwards(ctx, seq)
		found = slices.DeleteFunc(found, func(o model.Forward) bool { return o.To != f.To() })
		if err != nil || len(found) != 1 || found[0].Status == 0 {
			continue
		}
		o := found[0]
		if d, err := f.options.Feed.Delivery(ctx, seq); err == nil && (o.Resigned || !Stale(&d, o.At)) {
			a := Answer{Status: o.Status, Body: o.Body}
			m := factOf(&Post{Header: d.Header, Body: d.Body, Key: f.keyOf(&d)})
			f.target.known.note(m, a.accepted(), a.hopeless())
		}
	}
}

// Run forwards until ctx ends, and then for two seconds more what is in flight, ready,
// or due for a retry by then. If ctx ended with [journal.ErrLeaseLost], it ends at once.
// Trouble with the journal, such as a full disk, is reported to Status and waited out;
// the error is nil unless the journal was closed, or the last outcomes could not be
// stored.
//
// After it has returned it may be called again: it goes on where the journal says,
// which another process may have moved meanwhile.
func (f *Forwarder) Run(ctx context.Context) error {
	waiting := newRun(f) // to report why
	for {
		_, err := f.locate(ctx)
		switch {
		case err == nil:
			f.recalled.Do(func() { f.recall(ctx) })
			return newRun(f).loop(ctx)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, journal.ErrClosed):
			return err
		}
		waiting.complain(time.Now(), reading, err)
		if broadcast.Sleep(ctx, retryTime) != nil {
			return nil
		}
	}
}
