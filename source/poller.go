package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// PollerConfig configures a [Poller].
type PollerConfig struct {
	API     API
	Journal Appender
	History *History // of the same journal
	// Every is the polling interval, ±10 percent; 0 polls only at the start and after
	// each [Poller.Gap].
	Every time.Duration
	// Wanted, if not nil, is called once, with the ids of the active tasks, before they
	// are stored. The tasks that it returns are polled by id until they are done, even
	// if they are unknown to the journal or to the API.
	Wanted func(active []string) []string
	// Report is called with each change, from one goroutine; it may be nil and must
	// not block.
	Report func(Report)
}

// Poller reads the account's tasks from Aspect's API and stores what is new.
//
// A look is one call for the active tasks, and one for each task that is unfinished
// in the journal but not among them: it has ended or is gone. A task that the API does
// not know is stored as gone, once, and asked for again for an hour: a server that
// lags behind the others may not know it yet. A task that failed more than a day ago and is
// not in the journal is ignored, although the API still lists it as active.
type Poller struct {
	c    PollerConfig
	gap  chan struct{}
	asks map[string]ask // by task

	wanted []string // nil before the first list
	noted  string   // the last notice of a refused task
}

// ask says when to ask again for a task without news.
type ask struct {
	gone bool // the API did not know it
	wait time.Duration
	next time.Time
}

const (
	longAgo = 24 * time.Hour

	// An unfinished task that is not listed is asked for again after a minute, then
	// less and less often: it may belong to another user.
	firstAsk = time.Minute
	lastAsk  = 15 * time.Minute

	// One that the API did not know is asked for again at the next look, after five
	// seconds, and less and less often until goneAsked has passed.
	firstGoneAsk = 5 * time.Second
	goneAsked    = time.Hour

	asksAtOnce = 50 // in one look, so that the list is not stale meanwhile
	askPause   = 100 * time.Millisecond

	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// NewPoller makes no call yet.
func NewPoller(c PollerConfig) *Poller {
	return &Poller{c: c, gap: make(chan struct{}, 1), asks: map[string]ask{}}
}

// Gap reports that deliveries may have been missed, because the tunnel was down or
// the machine asleep. It triggers the next look at once and does not block.
func (p *Poller) Gap() {
	select {
	case p.gap <- struct{}{}:
	default:
	}
}

// Run polls until ctx ends. Call it once.
func (p *Poller) Run(ctx context.Context) {
	r := newReporter(model.SourceAPI, "Aspect's API", p.c.Report)
	for failures := 0; ctx.Err() == nil; {
		found, err := p.look(ctx)
		if ctx.Err() != nil {
			return
		}
		var wait time.Duration
		switch {
		case err != nil:
			failures++
			wait = jittered(retryIn(err, grow(max(p.c.Every, firstRetry), lastRetry, failures)))
			r.trouble(causeOf(err), err, time.Now().Add(wait).UTC())
		case found.more:
			continue
		case p.c.Every > 0:
			failures = 0
			wait = jittered(p.c.Every)
			r.ok(found.String(), time.Now().Add(wait).UTC())
		default:
			failures = 0
			r.ok(found.String(), time.Time{})
		}
		if found.why != nil && found.why.Error() != p.noted {
			p.noted = found.why.Error()
			r.note(p.noted)
		}
		p.pause(ctx, wait)
	}
}

// pause waits until d has passed (never, if zero) or there is a gap.
func (p *Poller) pause(ctx context.Context, d time.Duration) {
	var over <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
	case <-over:
	case <-p.gap:
		clear(p.asks)
	}
}

// maxRetryAfter is the longest pause that a server can ask for.
const maxRetryAfter = time.Hour

// retryIn is the pause after an error: d, or longer if the server asks for it.
func retryIn(err error, d time.Duration) time.Duration {
	var refused *aspect.APIError
	if errors.As(err, &refused) {
		return max(d, min(refused.RetryAfter, maxRetryAfter))
	}
	return d
}

// errJournal marks errors of the journal.
var errJournal = errors.New("the journal")

func causeOf(err error) string {
	var refused *aspect.APIError
	switch {
	case errors.As(err, &refused):
		return fmt.Sprint(refused.Status)
	case errors.Is(err, errJournal):
		return "journal"
	}
	return "other"
}

// aboutOne reports whether the API refused only this task, so that asking for others
// makes sense.
func aboutOne(err error) bool {
	var refused *aspect.APIError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Status {
	case 401, 408, 429:
		return false
	}
	return refused.Status/100 == 4
}
