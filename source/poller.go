package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// PollerConfig says what a [Poller] asks for.
type PollerConfig struct {
	API     API
	Journal Appender
	History *History // of the same journal
	// Every is the time between two looks, give or take ten percent; 0 looks only
	// at the start and after each [Poller.Gap].
	Every time.Duration
	// Tasks are asked for by their ids until they are done, even if nothing is
	// known of them.
	Tasks []string
	// Report is called, from one goroutine, with each change; nil is allowed. It
	// must not block.
	Report func(Report)
}

// Poller reads the account's tasks from Aspect's API and enters what is news.
//
// A look is one call for the active tasks, and one for each task that the journal
// has as unfinished and that is not among them: it ended meanwhile, or is gone. A
// task that the API no longer knows is entered as gone, once. A task that failed
// more than a day ago is not entered if the journal has never heard of it: it is
// still listed as active, but nobody was watching.
type Poller struct {
	c    PollerConfig
	gap  chan struct{}
	asks map[string]ask // by task
}

// ask is when to ask again for a task about which the API said nothing new.
type ask struct {
	wait time.Duration
	next time.Time
}

const (
	longAgo = 24 * time.Hour

	// A task that is unfinished and not listed is asked for again after a
	// minute, then ever more seldom: it may be another user's.
	firstAsk = time.Minute
	lastAsk  = 15 * time.Minute

	asksAtOnce = 50 // in one look, so that the list is not stale meanwhile
	askPause   = 100 * time.Millisecond

	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// NewPoller makes no call yet.
func NewPoller(c PollerConfig) *Poller {
	return &Poller{c: c, gap: make(chan struct{}, 1), asks: map[string]ask{}}
}

// Gap says that deliveries may have been missed: the tunnel was down, or the
// machine asleep. It makes the next look come at once and does not block.
func (p *Poller) Gap() {
	select {
	case p.gap <- struct{}{}:
	default:
	}
}

// Run looks until ctx ends. It is called once.
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
			r.trouble(causeOf(err), err.Error(), time.Now().Add(wait).UTC())
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
		p.pause(ctx, wait)
	}
}

// pause waits for a time, or until there was a gap if it is zero.
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

// retryIn is how long to wait after the error: what the server asked for, if it
// is longer than d.
func retryIn(err error, d time.Duration) time.Duration {
	var refused *aspect.APIError
	if errors.As(err, &refused) {
		return max(d, refused.RetryAfter)
	}
	return d
}

// errJournal marks errors of the journal's.
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

// aboutOne reports whether the API refused just the thing that was asked for, so
// that others may be asked for still.
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
