package printer

import (
	"context"
	"io"
	"time"

	"aspectop/model"
)

// Format is the format of lines.
type Format int

const (
	Plain Format = iota // sentences for people and screen readers
	JSON                // NDJSON for programs; see docs/json.md
)

// Journal is a journal's reader. It is used by one goroutine at a time.
type Journal interface {
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
	Wait(ctx context.Context) error
	Since(ctx context.Context, t time.Time) (int64, error)
}

// Options configure [Run].
type Options struct {
	Format  Format
	Out     io.Writer
	Journal Journal
	// Status is the log of everything other than deliveries; it may be nil. It is read
	// from the cursor Begin. Notices are printed only in Plain: JSON has no line for
	// them.
	Status *model.StatusLog
	Begin  int64
	// Filter selects event, duplicate and rejected lines; nil selects all. The end line
	// counts everything.
	Filter *model.Filter
	// Since prints what was received since then before the ready line; the zero time
	// prints nothing older.
	Since time.Time
	Ready Ready
	// Told is a cursor in Status: entries before it are counted but not printed.
	Told int64
	// Trouble is called with the error if the journal becomes unreadable while Run
	// follows it, and with nil when it is readable again; meanwhile Run retries. If
	// Trouble is nil, the error ends Run.
	Trouble func(error)
	// Started is called when the ready line has been written; it may be nil.
	Started func()
	// Forwarding tells, for the end line, how many messages were given up in this
	// run and how many are left for the next. Nil: nothing is forwarded.
	Forwarding func() (gaveUp, waiting int)
	// Temporary says that the journal is deleted at the end, so that nothing is left
	// for the next run.
	Temporary bool
	// Now is the clock; nil is time.Now. Plain prints times in its zone.
	Now func() time.Time
}

// Ready is the content of the ready line. An empty text is null, an empty Tunnel "off".
type Ready struct {
	URL, PublicURL, Tunnel, Probe, Journal string
	PID                                    int
}
