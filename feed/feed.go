// Package feed folds the journal once for the whole process. Screens, lines, forwards,
// commands, sources and the live page read what one [Feed] has folded.
//
//	commit ──▶ Committed ──▶ handover ─┐
//	                                   ├─▶ next ─▶ decodeAll ─▶ take ─▶ Wait, News ─▶ readers:
//	journal: Wait ──▶ After ───────────┘                         ▲     ▲                RLock,
//	status log ──────────────────────────────────────────────────┘     │                Since, Read
//	journal: Before ──▶ history ──▶ decodeAll ──▶ fold, newest first ──┘
//
// What comes is folded at once; what comes within a few milliseconds after it is gathered
// and folded under the lock in one go. A flood costs thirty folds a second. The feed never
// waits for a reader. It knows neither HTTP nor SQL, and no filters, selections and sizes:
// those belong to a screen.
package feed

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
	"aspectop/model"
)

const (
	// gatherTime is how long arrivals are gathered before they are folded, less than a
	// frame of the screen; floodTime the same when a fold took as many as a flood.
	gatherTime = 8 * time.Millisecond
	floodTime  = 33 * time.Millisecond
	flood      = 8
	// retryTime is how long to wait after the journal could not be read.
	retryTime = time.Second
)

// Journal is what a feed needs of a journal's reader.
type Journal interface {
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
	Since(ctx context.Context, t time.Time) (int64, error)
	Wait(ctx context.Context) error
}

// Options are what a feed is given.
type Options struct {
	// Journal is read from one end to the other, without headers. Only the feed may
	// call its Wait.
	Journal Journal
	// Rows reads single deliveries, which need not wait for a batch of history then;
	// nil: Journal.
	Rows Journal
	// Sole says that each commit is handed over by [Feed.Committed], since no other
	// process writes: the journal's Wait is not called.
	Sole   bool
	Status *model.StatusLog // nil: none
	// Rejected are the requests that the journal has as rejected, newest first. They are
	// rows of the event log, and not counted.
	Rejected []model.Rejected
	Now      func() time.Time // nil: time.Now
}

// Feed is one fold of a journal. Between RLock and RUnlock, any number of goroutines
// may read what it has folded, and must not change it. The lock holds up the fold, so
// nothing may be waited for meanwhile.
type Feed struct {
	journal, rows Journal
	log           *model.StatusLog
	now           func() time.Time
	started       time.Time
	sole          bool
	handed        handover
	hurry         chan struct{} // asks to fold what is committed now
	observers     []func(arrivals []Arrival, history bool)
	opened        bool             // by the goroutine that calls Open and Run
	statusSeen    int64            // by the goroutine that follows
	earlier       []model.Rejected // newest first; nil once they are notes

	mu       sync.RWMutex // guards what follows
	board    *model.Board
	index    Index
	notes    []Note // ascending
	noted    int64  // the newest Pos
	untold   int64  // rejected requests that were counted and are no statuses
	recent   recent
	received received
	pace     Pace
	counters Counters
	tunnel   *model.Tunnel
	forwards forwards
	changes  changes
	order    Order // of all tasks, by news

	// What was read: seen is the newest delivery, oldest the one up to which the
	// history was folded, first the journal's first.
	first, oldest, seen int64
	before              int64     // the newest when the feed was opened
	newest              time.Time // the latest receipt of what was folded
	loading             bool      // history is still being folded
	troubles            [len(readings)]string

	version atomic.Int64     // counts what was folded
	news    broadcast.Signal // of changes
}

// New returns a feed that has read nothing yet.
func New(o Options) *Feed {
	f := &Feed{
		journal: o.Journal, rows: o.Rows, now: o.Now, sole: o.Sole, earlier: o.Rejected,
		log:    cmp.Or(o.Status, model.NewStatusLog(1)),
		handed: handover{news: make(chan struct{}, 1)}, hurry: make(chan struct{}, 1),
		board: model.NewBoard(), loading: true, pace: NewPace(), forwards: forwards{}, received: newReceived(),
	}
	if f.rows == nil {
		f.rows = o.Journal
	}
	if f.now == nil {
		f.now = time.Now
	}
	f.started = f.now()
	f.counters.rate = newRate(time.Second, 60)
	return f
}

// RLock and RUnlock enclose every use of what the feed has folded.
func (f *Feed) RLock()   { f.mu.RLock() }
func (f *Feed) RUnlock() { f.mu.RUnlock() }

// Board is what the messages tell of the tasks.
func (f *Feed) Board() *model.Board { return f.board }

// ByNews are all tasks, newest news first, by their indices in the board.
func (f *Feed) ByNews() []int32 { return f.order.Rows() }

// Index holds the numbers of all deliveries that were folded.
func (f *Feed) Index() *Index { return &f.index }

// Notes are the statuses that are rows of the event log, oldest first: the
// newest maxNotes of them.
func (f *Feed) Notes() []Note { return f.notes }

// Pace counts all deliveries over time.
func (f *Feed) Pace() *Pace { return &f.pace }

// Counters are about this run.
func (f *Feed) Counters() *Counters { return &f.counters }

// Tunnel is the tunnel's state as last reported; nil if there is none.
func (f *Feed) Tunnel() *model.Tunnel { return f.tunnel }

// Started is when the feed was made.
func (f *Feed) Started() time.Time { return f.started }

// Seen and Oldest are the newest and the oldest delivery that were folded, by
// their numbers. Oldest is one more than Seen if none was.
func (f *Feed) Seen() int64   { return f.seen }
func (f *Feed) Oldest() int64 { return f.oldest }

// Opened is the newest delivery when the feed was opened. It needs no lock after
// [Feed.Open].
func (f *Feed) Opened() int64 { return f.before }

// Newest is when the latest delivery arrived; the zero time if there is none.
func (f *Feed) Newest() time.Time { return f.newest }

// Loading reports whether history is still being folded, and how many deliveries are
// folded out of how many, if no number is missing.
func (f *Feed) Loading() (loading bool, done, all int64) {
	return f.loading, f.seen + 1 - f.oldest, f.seen + 1 - f.first
}

// Forwards are the newest tries to forward a delivery in this run, one a handler.
func (f *Feed) Forwards(seq int64) []*model.Forward { return f.forwards[seq] }

// Trouble says why the journal cannot be read now; "" if it can.
func (f *Feed) Trouble() string { return cmp.Or(f.troubles[:]...) }

// Version changes whenever something else does. It needs no lock.
func (f *Feed) Version() int64 { return f.version.Load() }

// Wait returns when the version is no longer the given one, or ctx ends.
func (f *Feed) Wait(ctx context.Context, version int64) error {
	return f.news.Wait(ctx, func() bool { return f.version.Load() != version })
}

// Until waits until something is true of what is folded, which is asked with the lock
// held, at once and after each fold.
func (f *Feed) Until(ctx context.Context, is func() bool) error {
	return f.news.Wait(ctx, func() bool {
		f.mu.RLock()
		defer f.mu.RUnlock()
		return is()
	})
}

// Loaded waits until the history is folded.
func (f *Feed) Loaded(ctx context.Context) error {
	return f.Until(ctx, func() bool { return !f.loading })
}

// CatchUp waits until the history is folded and all that is in the journal now,
// which is not gathered with what comes next.
func (f *Feed) CatchUp(ctx context.Context) error {
	_, last, err := f.Range(ctx)
	if err != nil {
		return err
	}
	return f.Until(ctx, func() bool {
		if f.seen < last {
			broadcast.Nudge(f.hurry)
		}
		return !f.loading && f.seen >= last
	})
}

// News sends on the channel after something was folded, until ctx ends; see
// [model.News].
func (f *Feed) News(ctx context.Context) <-chan struct{} {
	version := int64(-1)
	return model.News(ctx, func(ctx context.Context) error {
		err := f.Wait(ctx, version)
		version = f.Version()
		return err
	})
}

// Observe calls each with all that is folded, with the lock held: history newest
// first, the rest oldest first. It is called before Run.
func (f *Feed) Observe(each func(arrivals []Arrival, history bool)) {
	f.observers = append(f.observers, each)
}

// change changes what the feed has folded, and wakes those who wait.
func (f *Feed) change(what func()) {
	f.mu.Lock()
	what()
	f.version.Add(1)
	f.mu.Unlock()
	f.news.Send()
}
