package forward

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/sig"
)

// Journal tells how far an earlier Forwarder came: a reader of package journal.
type Journal interface {
	ForwardCursor(ctx context.Context, key string) (cursor int64, known bool, err error)
	SettledForwards(ctx context.Context, key string, seq, last int64) ([]int64, error)
}

// Outcomes is where a Forwarder stores what became of each message: the writer of
// package journal.
type Outcomes interface {
	SaveForwards(key, url string, cursor int64, outcomes []model.Forward) error
}

// Options of a Forwarder.
type Options struct {
	// URL is the handler's address, http or https, with user:password@ for basic
	// authentication.
	URL string
	// Feed has the deliveries. It is open, and run by the caller until Run has returned.
	Feed     *feed.Feed
	Journal  Journal
	Outcomes Outcomes
	// Resign returns the signer for deliveries whose timestamp is too old, given
	// the name of the secret that verified them. If it returns nil, because that
	// secret is no longer known, the delivery is posted as it is.
	Resign func(secret string) Signer
	// Sign, if set, signs every delivery with the handler's own secret instead.
	Sign Signer
	// Status receives an entry for each attempt. It may be nil.
	Status *model.StatusLog
}

// Forwarder posts what arrives in a journal to one handler. Messages of a task
// are posted in the order they arrived, one at a time; tasks proceed in parallel,
// with at most 16 requests in flight. Delivery is at least once: a request that
// the end of this process interrupted is made again.
//
// A message is settled by a 2xx answer, and by a 4xx other than 408 and 429.
// Otherwise it is retried by [RetryPolicy], or when Retry-After says, for up to 15
// minutes; then the Forwarder gives up and posts the task's next message. A task
// that waits does not delay others. When a handler that could not be reached
// answers again, everything that waits for it is retried at once.
//
// The journal is the queue. Memory holds only the numbers of up to 65,536
// unsettled messages and the bodies of those in flight; while that many wait, the
// Forwarder reads no further.
type Forwarder struct {
	options Options
	target  *target
	client  *http.Client
	start   int64 // the cursor to begin from
	end     int64 // of the journal at that time: outcomes may be known up to here

	kick  chan struct{} // signals that asked is not empty
	mu    sync.Mutex
	asked []ask
	queue model.Queue
}

// New returns a Forwarder for one handler. It continues where an earlier one for
// the same handler stopped; for a handler that the journal does not know, it
// starts with what arrives after New.
func New(ctx context.Context, o Options) (*Forwarder, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	f := &Forwarder{options: o, target: t, client: client, kick: make(chan struct{}, 1), queue: model.Queue{To: t.shown}}
	known, err := f.locate(ctx)
	if err != nil || known {
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

// To is the handler's URL without credentials, as it stands in every
// [model.Forward].
func (f *Forwarder) To() string { return f.target.shown }

// Queue returns the present state of the queue. It may be called at any time,
// by any number of goroutines.
func (f *Forwarder) Queue() model.Queue {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue
}

// forwarded reports whether an arrival is one that handlers get: a webhook, and no
// repeat.
func forwarded(a *feed.Arrival) bool { return a.Source == model.SourceWebhook && !a.Repeat() }

// laneOf names the lane of a message.
func laneOf(a *feed.Arrival) string {
	if a.Task == nil {
		return fmt.Sprint("message ", a.Message)
	}
	return "task " + a.Task.ID
}

// attempt posts one message and says what came of it. Errors are of the journal.
func (f *Forwarder) attempt(ctx context.Context, seq int64) (model.Forward, answer, error) {
	d, err := f.options.Feed.Delivery(ctx, seq)
	if err != nil {
		return model.Forward{}, answer{}, err
	}
	now := time.Now()
	h := passOn(&d)
	sign, signed := f.options.Sign, "the secret that forwards are signed with (--forward-secret-env)"
	if sign == nil {
		signed = fmt.Sprintf("the secret that is called %q here", d.Secret)
		if f.options.Resign != nil && stale(h, now) {
			sign = f.options.Resign(d.Secret)
		}
	}
	if sign != nil {
		sig.Seal(h, d.ID, now, d.Body, sign)
	}
	late := sign == nil && stale(h, now)
	a := f.target.post(ctx, f.client, h, d.Body)
	out := f.target.outcome(&a, &d, signed)
	out.Resigned = sign != nil
	if late && !a.delivered() && a.err == nil {
		out.Hint = fmt.Sprintf("it was signed %s ago, and its secret (%q) is not known here any more to sign it anew", age(h, now), d.Secret)
	}
	return out, a, nil
}

// outcome says what came of one request, as far as one alone can say it.
func (t *target) outcome(a *answer, d *model.Delivery, signed string) model.Forward {
	return model.Forward{
		Seq: d.Seq, To: t.shown,
		At: a.began.UTC(), Status: a.status, Latency: a.latency,
		Final: a.delivered() || a.hopeless(),
		Error: a.words(), Hint: t.hint(a, d, signed), Body: a.body,
	}
}

// Run forwards until ctx ends, and then for two seconds more what can be done in
// them: what is in flight, what is ready, and what is to be tried again by then.
// If ctx ended with [journal.ErrLeaseLost], it ends at once. Trouble with the journal
// (a full disk) is told to Status and waited out; the error is nil unless the
// journal was closed, or the last outcomes could not be kept.
//
// After it returned it may be called again: it goes on where the journal says,
// which another process may have moved meanwhile.
func (f *Forwarder) Run(ctx context.Context) error {
	waiting := newRun(f) // which says why
	for {
		_, err := f.locate(ctx)
		switch {
		case err == nil:
			return newRun(f).loop(ctx)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, journal.ErrClosed):
			return err
		}
		waiting.complain(time.Now(), err)
		select {
		case <-time.After(patience):
		case <-ctx.Done():
			return nil
		}
	}
}
