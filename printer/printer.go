// Package printer writes events without a screen: what a feed has folded as sentences or
// NDJSON ([Run]), the results of commands, and deliveries in export formats ([Export]).
package printer

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/words"
)

const (
	retryTime = time.Second      // until an unreadable journal is read again
	drainTime = 5 * time.Second  // for the journal at the end
	stallTime = 15 * time.Second // between two looks for stalled tasks
	batch     = 1000             // deliveries per Write
)

// Run prints what the feed folds until ctx ends. It waits for the history, so that late
// and changes are exact, prints the receiving line and then all deliveries after number
// From. When ctx ends, it prints what is durable by then, and the end line.
//
// Run returns nil when ctx has ended or Out is a closed pipe (then ctx.Err() is nil).
// Other errors come from Out. In all cases the end line is the last, if it can be
// written. If ctx ends before the history is folded, there is no receiving line, and if
// it ends before Ready sends, no ready line.
//
// Each Write contains whole lines. A blocking Write blocks only Run, even after ctx has
// ended.
func Run(ctx context.Context, o Options) error {
	p := newPrinter(o)
	err := p.run(ctx)
	if err != errGone {
		err = cmp.Or(err, p.end())
	}
	if err == errGone {
		return nil
	}
	return err
}

type lines interface {
	receiving(at time.Time, url string)
	ready(at time.Time, r Ready)
	arrival(a *arrival)
	rejected(at time.Time, r *model.Rejected)
	skipped(at time.Time, count int64)
	tunnel(at time.Time, t *model.Tunnel)
	forward(at time.Time, f *model.Forward)
	viewer(at time.Time, v *model.Viewer)
	notice(at time.Time, text string)
	end(at time.Time, t tally)
}

type tally struct {
	verified, unsigned, rejected, duplicate, late int64

	notKept  int64     // rejected requests that the journal does not have
	forwards *forwards // nil: nothing is forwarded
	owed     *int      // tasks that a command is still to be run for, -1 if unknown; nil: there is none
	lost     bool      // what waits is lost at the end
}

// forwards counts the messages that no handler has.
type forwards struct{ gaveUp, waiting int }

type printer struct {
	Options
	lines lines
	buf   bytes.Buffer
	tally tally
	limit limit

	seq     int64       // the last delivery read
	status  int64       // cursor in the status log
	untold  int64       // rejected requests without an entry there, before this run
	old     []feed.Note // requests rejected before this run that are to be printed
	stalls  model.Stalls
	trouble string // why the journal cannot be read; "" if it can
}

// arrival is a delivery with its effect, and its task as it is now; nil if it is not
// about one. The effect of a repeat is zero.
type arrival struct {
	*feed.Arrival
	model.Effect
	task *model.Task
}

func newPrinter(o Options) *printer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Filter == nil {
		o.Filter = new(model.Filter)
	}
	p := &printer{Options: o, seq: o.From, status: o.Begin}
	if o.Status != nil {
		p.untold = o.Status.Untold()
	}
	if o.Format == JSON {
		p.lines = &jsonLines{&p.buf}
	} else {
		p.lines = &sentences{&p.buf, o.Now, o.Dates, map[string]string{}}
	}
	return p
}

func (p *printer) run(ctx context.Context) error {
	if p.Feed.Loaded(ctx) != nil {
		return nil
	}
	// Reads are short, and an interrupted one would lose the last deliveries, so ctx
	// is checked between them.
	reading := context.WithoutCancel(ctx)
	if err := p.older(ctx, reading); err != nil || ctx.Err() != nil {
		return err
	}
	if p.URL != "" {
		p.lines.receiving(p.Now(), p.URL)
	}
	if err := p.follow(ctx, reading); err != nil {
		return err
	}
	return p.drain(reading)
}

// older prints what was received since [Options.Since], before this run.
func (p *printer) older(ctx, reading context.Context) error {
	if p.Since.IsZero() {
		return nil
	}
	before, err := p.Feed.SeqBefore(reading, p.Since)
	if err != nil {
		return err
	}
	p.seq = min(before, p.From)
	p.old = p.rejectedSince()
	for more := true; more && ctx.Err() == nil; {
		if more, err = p.read(reading, p.From); err != nil {
			return err
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
	p.printOld(math.MaxInt64)
	p.seq = p.From
	return nil
}

func (p *printer) rejectedSince() (notes []feed.Note) {
	if p.Status == nil { // these lines tell nothing of rejected requests
		return nil
	}
	p.Feed.RLock()
	defer p.Feed.RUnlock()
	for _, n := range p.Feed.Notes() {
		if n.Earlier() && !n.At.Before(p.Since) && p.Filter.MatchRejected(n.Rejected, nil) {
			notes = append(notes, n)
		}
	}
	return notes
}

// printOld prints those that came before a delivery.
func (p *printer) printOld(seq int64) {
	for len(p.old) > 0 && p.old[0].Key.Seq < seq {
		p.lines.rejected(p.old[0].At, p.old[0].Rejected)
		p.old = p.old[1:]
	}
}

func (p *printer) follow(ctx, reading context.Context) error {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	folded, ready := p.Feed.News(waiting), p.Ready
	var statuses <-chan struct{}
	if p.Status != nil {
		statuses = p.Status.News(waiting)
	}
	var stalls <-chan time.Time // JSON has no line for them
	if p.Format == Plain {
		ticker := time.NewTicker(stallTime)
		defer ticker.Stop()
		stalls = ticker.C
		p.stalled() // what has stalled before this run is no news
	}
	for {
		more, err := p.read(reading, math.MaxInt64)
		var again <-chan time.Time
		if err != nil {
			again = time.After(retryTime)
		}
		p.troubled(err)
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
		case r := <-ready:
			p.lines.ready(p.Now(), r)
			ready = nil
		case <-folded:
		case <-statuses:
		case <-p.limit.due(p.Now()):
		case <-again:
		case <-stalls:
			for _, sentence := range p.stalled() {
				p.lines.notice(p.Now(), sentence)
			}
		}
	}
}

// stalled tells of the tasks that match the filter and have stalled since it last looked.
func (p *printer) stalled() (sentences []string) {
	p.Feed.RLock()
	defer p.Feed.RUnlock()
	now := p.Now()
	_, tasks := p.stalls.Look(p.Feed.Board(), now)
	for _, t := range tasks {
		if p.Filter.MatchTask(t, "", now) {
			sentences = append(sentences, "task "+words.ID(t.ID())+": stalled; no event for "+words.Span(now.Sub(t.News())))
		}
	}
	return sentences
}

func (p *printer) troubled(err error) {
	p.Feed.RLock()
	text := p.Feed.Trouble()
	p.Feed.RUnlock()
	if err != nil {
		text = "cannot read the journal: " + err.Error()
	}
	if text != p.trouble && p.Trouble != nil {
		p.Trouble(text)
	}
	p.trouble = text
}

// drain prints what is durable now but no more, so that a growing journal does not keep
// the run from ending.
func (p *printer) drain(reading context.Context) error {
	ctx, cancel := context.WithTimeout(reading, drainTime)
	defer cancel()
	_, last, err := p.Feed.Range(ctx)
	if err == nil {
		err = p.Feed.CatchUp(ctx)
	}
	for more := true; more && err == nil; {
		if more, err = p.read(ctx, last); err == nil {
			err = p.flush()
		}
	}
	p.readStatus()
	return err
}

func (p *printer) end() error {
	now := p.Now()
	p.skipped(now, p.limit.rest())
	if p.Status != nil {
		p.tally.rejected += p.Status.Untold() - p.untold
	}
	if p.NotKept != nil {
		p.tally.notKept = p.NotKept()
	}
	if p.Forwarding != nil {
		gaveUp, waiting := p.Forwarding()
		p.tally.forwards = &forwards{gaveUp, waiting}
	}
	if p.Owed != nil {
		n := p.Owed()
		p.tally.owed = &n
	}
	p.tally.lost = p.Temporary
	p.lines.end(now, p.tally)
	return p.flush()
}

// read prints the next batch of deliveries up to the number until, and reports whether
// there may be more.
func (p *printer) read(ctx context.Context, until int64) (more bool, err error) {
	arrivals, err := p.Feed.Read(ctx, p.seq, batch)
	if err != nil {
		return false, err
	}
	for _, a := range arrivals {
		if a.Seq > until {
			return false, nil
		}
		p.take(a)
		p.seq = a.Seq
	}
	return len(arrivals) == batch, nil
}

func (p *printer) take(folded *feed.Arrival) {
	p.Feed.RLock()
	defer p.Feed.RUnlock()
	task, effect := p.Feed.Effect(folded)
	a := &arrival{folded, effect, task}
	switch {
	case a.Seq <= p.From:
	case a.Repeat():
		p.tally.duplicate++
	default:
		if a.Source == model.SourceWebhook {
			p.tally.verified++
		} else {
			p.tally.unsigned++
		}
		if a.Late {
			p.tally.late++
		}
	}
	p.printOld(a.Seq)
	if p.Filter.MatchEvent(&a.Event, a.task, "", p.Now()) {
		p.lines.arrival(a)
	}
}
