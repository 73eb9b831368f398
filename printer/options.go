package printer

import (
	"context"
	"io"
	"time"

	"aspectop/model"
)

// Format is how lines are written.
type Format int

const (
	Plain Format = iota // sentences for people and screen readers
	JSON                // NDJSON for programs, as docs/json.md promises
)

// Journal is what the printer needs of a journal's reader. It is used by one
// goroutine at a time.
type Journal interface {
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
	Wait(ctx context.Context) error
	Since(ctx context.Context, t time.Time) (int64, error)
}

// Options say what [Run] prints, and where.
type Options struct {
	Format  Format
	Out     io.Writer
	Journal Journal
	// Status is the log of what is no delivery; nil where there is none. It is
	// read from behind the cursor Begin: 0 is its start, where all of it belongs to
	// this run. Its notices are printed in Plain only: JSON has no line for them.
	Status *model.StatusLog
	Begin  int64
	// Filter picks the event, duplicate and rejected lines; nil picks all. What
	// it leaves out counts in the end line all the same.
	Filter *model.Filter
	// Since prints what the journal received from then on before the ready
	// line. The zero time prints nothing older.
	Since time.Time
	Ready Ready
	// Told is a cursor in Status: what stands before it was told otherwise, and
	// is counted only.
	Told int64
	// Trouble is called when the journal cannot be read once Run follows it, and
	// with nil when it can be read again; meanwhile Run tries again and again. Nil:
	// the error ends Run.
	Trouble func(error)
	// Started is called when the ready line has been written; nil: nobody waits
	// for it.
	Started func()
	// Forwarding tells, for the end line, how many messages were given up in this
	// run and how many are left for the next. Nil: nothing is forwarded.
	Forwarding func() (gaveUp, waiting int)
	// Now is the clock; nil is time.Now. Plain tells times in its zone.
	Now func() time.Time
}

// Ready is what the ready line tells. An empty text is null, an empty Tunnel
// "off".
type Ready struct {
	URL, PublicURL, Tunnel, Probe, Journal string
	PID                                    int
}
