// Package printer renders events without a screen: as sentences for people or as NDJSON
// for programs. It folds events into its own board and writes lines. It knows neither
// the size of a terminal nor how events arrive.
//
// [Clean] is here too, because every line for people passes through it.
package printer

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"aspectop/model"
)

// patience is the pause before reading an unreadable journal again.
const patience = time.Second

// batch is the maximum number of deliveries per read and per Write.
const batch = 1000

// Run prints what arrives until ctx ends. It first folds the history in the order of
// arrival, so that late and changes are exact. Then it prints the ready line and
// everything that became durable after Run started. When ctx ends, it prints what is
// durable by then, and the end line.
//
// Run returns nil when ctx has ended or Out is a closed pipe (then ctx.Err() is nil).
// Other errors come from the journal or from Out. In all cases the end line is the
// last, if it can be written. If ctx ends before the history is folded, there is no
// ready line.
//
// Each Write contains whole lines. A blocking Write blocks only Run, even after ctx has
// ended.
func Run(ctx context.Context, o Options) error {
	p := newPrinter(o)
	err := p.run(ctx)
	if !errors.Is(err, errGone) {
		if endErr := p.end(); err == nil {
			err = endErr
		}
	}
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// lines renders lines by appending to a buffer.
type lines interface {
	ready(at time.Time, r Ready)
	event(a *arrival)
	duplicate(a *arrival)
	rejected(at time.Time, r *model.Rejected)
	skipped(at time.Time, count int64)
	tunnel(at time.Time, t *model.Tunnel)
	forward(at time.Time, f *model.Forward)
	viewer(at time.Time, v *model.Viewer)
	notice(at time.Time, text string)
	end(at time.Time, t tally)
}

// tally counts this run.
type tally struct {
	verified, rejected, duplicate, late int64
	forwards                            *forwards // nil: nothing is forwarded
}

// forwards counts the messages that no handler has.
type forwards struct {
	gaveUp, waiting int
	lost            bool // what waits is lost at the end
}

type printer struct {
	Options
	lines lines
	buf   bytes.Buffer
	board *model.Board
	tally tally
	limit limit

	seq    int64 // the last delivery read
	silent int64 // up to here deliveries are folded but not printed
	opened int64 // up to here deliveries are older than this run
	status int64 // cursor in the status log

	trouble string // why the journal cannot be read; "" if it can
}

func newPrinter(o Options) *printer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Filter == nil {
		o.Filter = new(model.Filter)
	}
	p := &printer{Options: o, board: model.NewBoard(), status: o.Begin}
	if o.Format == JSON {
		p.lines = &jsonLines{&p.buf}
	} else {
		p.lines = &sentences{out: &p.buf, now: o.Now}
	}
	return p
}

func (p *printer) run(ctx context.Context) error {
	// Reads are short, and an interrupted one would lose the last deliveries, so ctx
	// is checked between them.
	reading := context.WithoutCancel(ctx)
	if err := p.history(ctx, reading); err != nil || ctx.Err() != nil {
		return err
	}
	p.lines.ready(p.Now(), p.Ready)
	if err := p.flush(); err != nil {
		return err
	}
	if p.Started != nil {
		p.Started()
	}
	if err := p.follow(ctx, reading); err != nil {
		return err
	}
	return p.drain(reading)
}

// history folds what the journal holds when Run starts.
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
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	deliveries := model.News(waiting, p.Journal.Wait)
	var statuses <-chan struct{}
	if p.Status != nil {
		cursor := p.status
		statuses = model.News(waiting, func(ctx context.Context) (err error) {
			err = p.Status.Wait(ctx, cursor)
			_, _, cursor = p.Status.After(cursor)
			return err
		})
	}
	for {
		more, err := p.read(reading, math.MaxInt64)
		if err != nil && p.Trouble == nil {
			return err
		}
		var again <-chan time.Time
		if p.troubled(err); err != nil {
			again = time.After(patience)
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
		case <-deliveries:
		case <-statuses:
		case <-p.limit.due(p.Now()):
		case <-again:
		}
	}
}

// troubled calls Trouble when the journal becomes unreadable or readable.
func (p *printer) troubled(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != p.trouble && p.Trouble != nil {
		p.Trouble(err)
	}
	p.trouble = text
}

// drain reads what is durable now but no more, so that a growing journal does not keep
// the run from ending.
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
	if p.Forwarding != nil {
		gaveUp, waiting := p.Forwarding()
		p.tally.forwards = &forwards{gaveUp, waiting, p.Temporary}
	}
	p.lines.end(now, p.tally)
	return p.flush()
}

// read handles the next batch of deliveries up to the number until, and reports whether
// there may be more.
func (p *printer) read(reading context.Context, until int64) (more bool, err error) {
	deliveries, err := p.Journal.After(reading, p.seq, batch)
	if err != nil {
		return false, err
	}
	more = len(deliveries) == batch
	if beyond := slices.IndexFunc(deliveries, func(d model.Delivery) bool { return d.Seq > until }); beyond >= 0 {
		deliveries, more = deliveries[:beyond], false
	}
	for i, e := range decode(deliveries) {
		d := &deliveries[i]
		if d.Repeat() {
			p.takeRepeat(reading, d)
		} else {
			p.takeMessage(d, e)
		}
		p.seq = d.Seq
	}
	return more, nil
}

func (p *printer) takeMessage(d *model.Delivery, e model.Event) {
	a := fold(p.board, d, e)
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
		// Its content is in the message's first delivery, unless that was removed.
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
