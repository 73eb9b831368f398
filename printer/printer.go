package printer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
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
	Changed(ctx context.Context) (bool, error)
	Since(ctx context.Context, t time.Time) (int64, error)
}

// Options say what [Run] prints, and where.
type Options struct {
	Format  Format
	Out     io.Writer
	Journal Journal
	// Status is the log of what is no delivery; nil where there is none. It is
	// read from its start, as all of it belongs to this run. Its notices are
	// printed in Plain only: JSON has no line for them.
	Status *model.StatusLog
	// Filter picks the event, duplicate and rejected lines; nil picks all. What
	// it leaves out counts in the end line all the same.
	Filter *model.Filter
	// Since prints what the journal received from then on before the ready
	// line. The zero time prints nothing older.
	Since time.Time
	Ready Ready
	// Now is the clock; nil is time.Now. Plain tells times in its zone.
	Now func() time.Time
}

// Ready is what the ready line tells. An empty text is null, an empty Tunnel
// "off".
type Ready struct {
	URL, PublicURL, Tunnel, Probe, Journal string
	PID                                    int
}

const (
	// pollEvery is how often the journal and the status log are asked for news.
	pollEvery = 50 * time.Millisecond
	// batch is how many deliveries are read, and written with one Write, at most.
	batch = 1000
)

// Run prints what arrives until ctx ends. It folds the history first, in the
// order of arrival, so that late and changes are exact; then it prints the
// ready line and everything that came after Run began. When ctx ends, it prints
// what is durable by then and the end line.
//
// Run returns nil when ctx has ended, and also when the reader of Out has gone
// (a closed pipe): then ctx.Err() is still nil. Any other error comes from the
// journal or from Out.
//
// Lines are never torn: each Write is of whole lines. One that blocks holds up
// Run, even after ctx has ended, and nothing else.
func Run(ctx context.Context, o Options) error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Filter == nil {
		o.Filter = new(model.Filter)
	}
	p := &printer{Options: o, board: model.NewBoard()}
	if o.Format == JSON {
		p.lines = newJSONLines(&p.buf)
	} else {
		p.lines = &sentences{out: &p.buf, now: o.Now}
	}
	err := p.run(ctx)
	if err != nil && !errors.Is(err, errGone) {
		err = errors.Join(err, p.end())
	}
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// lines renders. Its methods append to a buffer.
type lines interface {
	ready(at time.Time, r Ready)
	event(a *arrival)
	duplicate(a *arrival)
	rejected(at time.Time, r *model.Rejected)
	skipped(at time.Time, count int64)
	notice(at time.Time, text string)
	end(at time.Time, t tally)
}

// tally counts this run.
type tally struct{ verified, rejected, duplicate, late int64 }

type printer struct {
	Options
	lines lines
	buf   bytes.Buffer
	board *model.Board
	tally tally
	limit limit

	seq    int64 // the last delivery that was taken
	silent int64 // deliveries up to here are folded and not printed
	opened int64 // deliveries up to here are older than this run
	status int64 // cursor in the status log
}

func (p *printer) run(ctx context.Context) error {
	// A read is short. One that was cut off would leave the last deliveries
	// unsaid, so ctx is looked at between them.
	reading := context.WithoutCancel(ctx)
	if err := p.history(ctx, reading); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return p.end()
	}
	p.lines.ready(p.Now(), p.Ready)
	if err := p.follow(ctx, reading); err != nil {
		return err
	}
	if err := p.drain(reading); err != nil {
		return err
	}
	return p.end()
}

// history folds what the journal holds when Run begins.
func (p *printer) history(ctx, reading context.Context) error {
	_, last, err := p.Journal.Range(reading)
	if err != nil {
		return err
	}
	p.opened, p.silent = last, last
	if !p.Since.IsZero() {
		before, err := p.Journal.Since(reading, p.Since)
		if err != nil {
			return err
		}
		p.silent = min(before, last)
	}
	for more := true; more && ctx.Err() == nil; {
		if more, err = p.read(reading, last); err != nil {
			return err
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (p *printer) follow(ctx, reading context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for more := false; ; {
		changed, err := p.Journal.Changed(reading)
		if err == nil && (changed || more) {
			more, err = p.read(reading, math.MaxInt64)
		}
		if err != nil {
			return err
		}
		p.readStatus()
		if err := p.flush(); err != nil {
			return err
		}
		if more && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// drain takes what is durable by now, and no more, lest a journal that goes on
// growing keep the run from ending.
func (p *printer) drain(reading context.Context) error {
	_, last, err := p.Journal.Range(reading)
	for more := true; more && err == nil; {
		if more, err = p.read(reading, last); err == nil {
			err = p.flush()
		}
	}
	p.readStatus()
	return err
}

// end prints the last line.
func (p *printer) end() error {
	now := p.Now()
	p.tellSkipped(now, p.limit.rest())
	p.lines.end(now, p.tally)
	return p.flush()
}

// read takes the next batch of deliveries, none beyond the number until, and
// reports whether there may be more.
func (p *printer) read(reading context.Context, until int64) (more bool, err error) {
	deliveries, err := p.Journal.After(reading, p.seq, batch)
	if err != nil {
		return false, err
	}
	for i := range deliveries {
		d := &deliveries[i]
		if d.Seq > until {
			return false, nil
		}
		p.take(reading, d)
		p.seq = d.Seq
	}
	return len(deliveries) == batch, nil
}

func (p *printer) take(reading context.Context, d *model.Delivery) {
	if d.Repeat() {
		p.takeRepeat(reading, d)
		return
	}
	a := fold(p.board, d)
	if d.Seq > p.opened {
		p.tally.verified++
		if a.late {
			p.tally.late++
		}
	}
	if d.Seq > p.silent && p.picks(a) {
		p.lines.event(a)
	}
}

func (p *printer) takeRepeat(reading context.Context, d *model.Delivery) {
	if d.Seq > p.opened {
		p.tally.duplicate++
	}
	if d.Seq <= p.silent {
		return
	}
	a := &arrival{Event: model.Event{Seq: d.Seq, Message: d.Message, ID: d.ID, Source: d.Source, Received: d.Received}, delivery: d}
	if p.Format == Plain || !p.Filter.Empty() {
		// What it tells stands in the message's first delivery, unless that was
		// removed meanwhile.
		if first, err := p.Journal.Get(reading, d.Message); err == nil {
			a.tellAs(&first, p.board)
		}
	}
	if p.picks(a) {
		p.lines.duplicate(a)
	}
}

func (p *printer) picks(a *arrival) bool {
	return p.Filter.Empty() || p.Filter.Match(&model.Subject{
		Task: a.task, Event: &a.Event, Late: a.late, Duplicate: a.delivery.Repeat(), Now: p.Now(),
	})
}

// flush writes the lines gathered so far.
func (p *printer) flush() error {
	if p.buf.Len() == 0 {
		return nil
	}
	b := p.buf.Bytes()
	if p.Format == JSON {
		b = SafeJSON(b)
	}
	_, err := p.Out.Write(b)
	p.buf.Reset()
	switch {
	case err == nil:
		return nil
	case closedPipe(err):
		return errGone
	}
	return fmt.Errorf("the output cannot be written: %w", err)
}

// errGone says that nobody reads the output any more.
var errGone = errors.New("the output is closed")
