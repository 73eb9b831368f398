package printer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// Format is the format of lines.
type Format int

const (
	Plain Format = iota // sentences for people and screen readers
	JSON                // NDJSON for programs; see docs/json.md
)

// Options configure [Run].
type Options struct {
	Format Format
	Out    io.Writer
	// Feed is run by the caller, until Run has returned.
	Feed *feed.Feed
	// From is the newest delivery that is older than this run: those after it are
	// printed and counted.
	From int64
	// Dates has every line of Plain begin with the date, for a file in which days follow
	// each other. Without it, only lines about another day than today have one.
	Dates bool
	// Since prints what was received since then before the receiving line; the zero
	// time prints nothing older.
	Since time.Time
	// Status is the log of everything other than deliveries; it may be nil. It is read
	// from the cursor Begin. Notices are printed only in Plain: JSON has no line for
	// them.
	Status *model.StatusLog
	Begin  int64
	// PrintAfter is a cursor in Status: entries up to it are counted but not printed.
	PrintAfter int64
	// Filter selects event, duplicate and rejected lines; nil selects all. The end line
	// counts everything.
	Filter *model.Filter
	// URL is the local address that deliveries are received on; "" prints no receiving
	// line.
	URL string
	// Ready sends the content of the ready line when it is known; nil prints none.
	Ready <-chan Ready
	// Trouble is called with the reason if the journal becomes unreadable, and with ""
	// when it is readable again; it may be nil.
	Trouble func(string)
	// Forwarding counts, for the end line, the messages that were given up in this run
	// and those left for the next. Nil: nothing is forwarded.
	Forwarding func() (gaveUp, waiting int)
	// NotKept counts, for the end line, the rejected requests of this run that the journal
	// does not have; nil: none.
	NotKept func() int64
	// Owed counts, for the end line, the tasks that the command of --exec is still to be
	// run for; -1 if that could not be read. Nil: there is no command.
	Owed func() int
	// Temporary says that the journal is deleted at the end, so that nothing is left
	// for the next run.
	Temporary bool
	// Now is the clock; nil is time.Now. Plain prints times in its zone.
	Now func() time.Time
}

// Ready is the content of the ready line. An empty text is null, an empty Tunnel "off".
type Ready struct {
	URL, PublicURL, Tunnel, Probe, Journal string

	Doubt string // as in [model.Tunnel]; not in the line of JSON
	PID   int
}

func (p *printer) flush() error { return write(p.Out, &p.buf) }

// write writes buf with a single Write and empties it.
func write(out io.Writer, buf *bytes.Buffer) error {
	if buf.Len() == 0 {
		return nil
	}
	_, err := out.Write(buf.Bytes())
	buf.Reset()
	switch {
	case err == nil:
		return nil
	case closedPipe(err):
		return errGone
	}
	return fmt.Errorf("cannot write the output: %w", err)
}

// WriteAll writes text to out. A closed pipe is not an error.
func WriteAll(out io.Writer, text []byte) error {
	if err := write(out, bytes.NewBuffer(text)); err != errGone {
		return err
	}
	return nil
}

var errGone = errors.New("the output is closed")

// closedPipe reports whether a write failed because of a closed pipe.
func closedPipe(err error) bool {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows has its own
	return runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
