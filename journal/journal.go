// Package journal is the contract of a durable log of deliveries, and what its two
// stores share: a SQLite file (package sqlite) and a PostgreSQL database (package
// postgres). The suite in package journaltest tests both.
//
// A [Journal] appends; any number of [Reader]s, in this and in other processes, read,
// each with a cursor of its own: the number of the last delivery it has seen.
package journal

import (
	"context"
	"errors"
	"strings"
	"time"

	"aspectop/model"
)

var (
	// ErrNotFound is returned for a sequence number that holds no delivery:
	// never given, or removed by retention.
	ErrNotFound = errors.New("no such delivery in the journal")

	// ErrDamaged is returned for what cannot be read because the journal is damaged.
	ErrDamaged = errors.New("the journal is damaged")

	// ErrLeaseLost is the cause with which the context of WithLease ends.
	ErrLeaseLost = errors.New("another process may hold the lease now")

	// ErrClosed is returned by every call on a closed Journal or Reader.
	ErrClosed = errors.New("the journal is closed")
)

// Options of a journal that is opened for writing.
type Options struct {
	// Retain is how long deliveries are kept, counted from their receipt;
	// 0 keeps them for ever. The newest event of a task that is not done stays
	// longer, and ids are remembered for 48 hours at least.
	Retain time.Duration
	// RetentionOwner, if set, is called with who does the retention, where several
	// processes share the journal and one of them does.
	RetentionOwner func(LeaseOwner)
	// Committed, if set, is called after each commit of Append with what was
	// committed, as a Reader returns it, before any Append of the commit returns. Calls
	// follow one another, with ascending numbers. Numbers missing in between were
	// committed by another process, or were not acknowledged: they have to be read. It
	// must not block, call the Journal, or change a Header or Body.
	Committed func([]model.Delivery)
	// Now is the clock that Retain goes by; nil is time.Now.
	Now func() time.Time
}

// Journal is the writing side. Its methods are for any number of goroutines.
type Journal interface {
	// Append keeps d, whose ID is not empty: when it returns nil, d is durable and its
	// Seq, Message, Attempt and Differs are filled in. After an error d is as it was.
	//
	// Numbers start at 1 and become visible in their order, without gaps. The
	// first body of an ID is the message; what comes later with the same ID is a
	// repeat, whichever process received it. So is a delivery with a new ID whose Twin is
	// the ID of a message.
	//
	// If ctx ends before the commit, d may be kept all the same. The Header and the
	// Body of d must not be changed any more in either case.
	Append(ctx context.Context, d *model.Delivery) error

	// AppendAll is Append for several deliveries: all or nothing is kept, in one commit and
	// in their order.
	AppendAll(ctx context.Context, deliveries []*model.Delivery) error

	// SaveForwards keeps the outcomes of forwarding to the target with this key, each
	// in place of an earlier one for the same delivery, and the target's cursor: all or
	// nothing. url is shown to people, so it has no credentials. To in the outcomes is
	// not used. It may be lost in a power cut, so that more is forwarded again.
	SaveForwards(key, url string, cursor int64, outcomes []model.Forward) error

	// SaveRejections keeps rejected requests in a ring of the newest [RejectionsKept] of all
	// processes that share the journal: all or nothing. They take no numbers, obey Retain,
	// are not copied by Copy, and may be lost in a power cut.
	SaveRejections(rejected []model.Rejected) error

	// WithLease runs f while this process holds the lease with this name, which one
	// process at a time holds of all that share the journal. It waits for the lease,
	// and reports who holds it. The context of f ends with ctx, or, with ErrLeaseLost as
	// its cause, when the lease could not be renewed for some seconds; WithLease then
	// waits for it again. It returns what f returns, or the error of ctx.
	WithLease(ctx context.Context, name string, report func(LeaseOwner), f func(context.Context) error) error

	// Import keeps deliveries of another journal under the numbers they have
	// there, which must be greater than all that were given here. All or nothing
	// is kept, and is durable when it returns nil. Nothing may be appended until
	// the last of a journal is imported.
	Import(ctx context.Context, deliveries []model.Delivery) error

	// Ready says why nothing could be appended now; nil if it could.
	Ready(ctx context.Context) error

	// Reader opens one more reader. It must be closed before the Journal.
	Reader() (Reader, error)

	// Place is where the journal is, without a password.
	Place() string

	// Close waits for the Appends under way and refuses further ones with
	// ErrClosed.
	Close() error
}

// ForwardTarget is a place that deliveries are forwarded to.
type ForwardTarget struct {
	Key, URL string // as SaveForwards was given them
	Cursor   int64
}

// LeaseOwner says who holds a lease.
type LeaseOwner struct {
	Self bool   // this process
	Name string // of another one: its host and pid; "" if nobody holds it
}

// Reader reads a journal while others write it. It holds no transaction between
// calls, and needs no right to write. It is for any number of goroutines, whose
// calls take turns.
//
// After, Before, Range and Since leave out what cannot be read of a damaged journal,
// unless that is its end. Then, like the other calls, they fail with [ErrDamaged].
type Reader interface {
	// After returns at most limit deliveries, repeats among them, that came after
	// seq, in the order of their numbers. After 0 they are from the start.
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)

	// Before returns at most limit deliveries, repeats among them, that came
	// before seq, newest first. Before math.MaxInt64 they are from the end.
	Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)

	// Get returns one delivery, or ErrNotFound, or ErrDamaged.
	Get(ctx context.Context, seq int64) (model.Delivery, error)

	// Repeats returns the kept repeats of a message, oldest first.
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)

	// Range returns the least and the greatest number that is kept, both 0 if
	// nothing is. Numbers between them may be missing, removed by retention.
	Range(ctx context.Context) (first, last int64, err error)

	// Since returns the greatest number received before t, 0 if there is none. Where
	// a clock was set back, it finds one of the places that fit.
	Since(ctx context.Context, t time.Time) (int64, error)

	// Wait returns when something was committed since its last call returned, and
	// sometimes without; the first call returns at once. It is for one goroutine.
	Wait(ctx context.Context) error

	// Forwards returns what became of one delivery at each target it was
	// forwarded to, the first known target first.
	Forwards(ctx context.Context, seq int64) ([]model.Forward, error)

	// ForwardCursor returns the cursor kept for the target with this key; known
	// is false if there is none.
	ForwardCursor(ctx context.Context, key string) (cursor int64, known bool, err error)

	// SettledForwards returns the numbers after seq and up to last whose outcome
	// at the target with this key is final, in their order.
	SettledForwards(ctx context.Context, key string, seq, last int64) ([]int64, error)

	// ForwardTargets returns the targets that deliveries were forwarded to, the
	// first known first.
	ForwardTargets(ctx context.Context) ([]ForwardTarget, error)

	// Rejections returns at most limit rejected requests, newest first.
	Rejections(ctx context.Context, limit int) ([]model.Rejected, error)

	// OmitHeader makes all further deliveries come without their Header, in half
	// the time.
	OmitHeader()

	// Close releases the journal. Further calls fail with ErrClosed.
	Close() error
}

// streamPrefix is that of the keys under which the positions of event streams are kept,
// among the targets of forwards.
const streamPrefix = "stream "

// SaveStreamID keeps the last event id of the stream with this key. It is as durable as
// [Journal.SaveForwards].
func SaveStreamID(j Journal, key, id string) error {
	return j.SaveForwards(streamPrefix+key, id, 0, nil)
}

// StreamIDs returns the last event ids that were kept, by the keys of their streams.
func StreamIDs(ctx context.Context, r Reader) (map[string]string, error) {
	targets, err := r.ForwardTargets(ctx)
	ids := map[string]string{}
	for _, t := range targets {
		if key, ok := strings.CutPrefix(t.Key, streamPrefix); ok {
			ids[key] = t.URL
		}
	}
	return ids, err
}

const (
	// pollSoon is how often a reader asks for commits while they come, and pollLate how
	// often when none has come for calm.
	pollSoon = 50 * time.Millisecond
	pollLate = 200 * time.Millisecond
	calm     = 5 * time.Second
)

// Poll asks changed until it is true or fails; [Reader.Wait] of both stores. It asks
// at once when closed is closed.
func Poll(ctx context.Context, closed <-chan struct{}, changed func(context.Context) (bool, error)) error {
	for start := time.Now(); ; {
		if is, err := changed(ctx); is || err != nil {
			return err
		}
		pause := pollSoon
		if time.Since(start) > calm {
			pause = pollLate
		}
		select {
		case <-time.After(pause):
		case <-closed:
		case <-ctx.Done():
		}
	}
}
