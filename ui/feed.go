package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sync/errgroup"

	"aspectop/model"
)

// Journal is what the screen needs of a journal's reader. It is used by several
// goroutines at once, Changed by one at a time.
type Journal interface {
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)
	// Forwards are what became of a delivery at each of the user's handlers.
	Forwards(ctx context.Context, seq int64) ([]model.Forward, error)
	Range(ctx context.Context) (first, last int64, err error)
	Changed(ctx context.Context) (bool, error)
}

const (
	// frameTime is how long arrivals are gathered before they are drawn: the
	// screen changes at most thirty times a second, whatever comes in.
	frameTime = 33 * time.Millisecond
	// idleTime is how often the journal is looked at when nothing has come for
	// quietLooks looks: an idle screen should cost next to nothing.
	idleTime   = 100 * time.Millisecond
	quietLooks = 60
	// batch is how many deliveries are folded at once. Decoding them takes some
	// 20 ms beside the screen, folding them some 4 ms in it.
	batch = 4000
)

// arrival is one delivery, decoded for the board and the log. A repeat tells
// what the message's first delivery told.
type arrival struct {
	model.Event
	attempt int
	differs bool
	secret  string
}

func (a *arrival) repeat() bool { return a.Message != a.Seq }

// openedMsg tells what the journal held when the screen was opened.
type openedMsg struct {
	first, last int64
	err         error
}

// arrivedMsg carries what came since the last one.
type arrivedMsg struct {
	arrivals []arrival // oldest first
	statuses []model.Status
	lost     int64 // statuses that were overwritten before they were read
	status   int64 // cursor behind statuses
	err      error
}

// historyMsg carries deliveries from before the screen was opened, newest first.
type historyMsg struct {
	arrivals []arrival
	err      error
}

// open finds out where the journal ends. What stands there already is folded
// from its end backwards by history, what comes is followed by listen.
func (m *Model) open() tea.Cmd {
	return func() tea.Msg {
		first, last, err := m.opt.Feed.Range(m.ctx)
		return openedMsg{first, last, err}
	}
}

// listen waits for something new behind the cursors. One such command is in
// flight at all times; it is started again when its message has been handled.
func (m *Model) listen() tea.Cmd {
	seq, status, behind := m.seen, m.statusSeen, m.behind
	return func() tea.Msg {
		wait := time.NewTicker(frameTime)
		defer wait.Stop()
		for look := 0; ; look++ {
			if look == quietLooks {
				wait.Reset(idleTime)
			}
			select {
			case <-m.ctx.Done():
				return nil
			case <-wait.C:
			}
			msg := arrivedMsg{status: status}
			if m.opt.Status != nil {
				msg.statuses, msg.lost, msg.status = m.opt.Status.After(status)
			}
			changed, err := m.opt.Feed.Changed(m.ctx)
			if err == nil && (changed || behind) {
				msg.arrivals, err = m.read(seq, m.opt.Feed.After)
			}
			msg.err = err
			switch {
			case m.ctx.Err() != nil:
				return nil
			case err != nil || len(msg.arrivals) > 0 || msg.status != status:
				return msg
			}
		}
	}
}

// history reads the next older batch.
func (m *Model) history() tea.Cmd {
	before := m.oldest
	return func() tea.Msg {
		arrivals, err := m.read(before, m.opt.Feed.Before)
		if m.ctx.Err() != nil {
			return nil
		}
		return historyMsg{arrivals, err}
	}
}

// read fetches a batch and decodes it on all cores.
func (m *Model) read(seq int64, fetch func(context.Context, int64, int) ([]model.Delivery, error)) ([]arrival, error) {
	deliveries, err := fetch(m.ctx, seq, batch)
	if err != nil {
		return nil, err
	}
	arrivals := make([]arrival, len(deliveries))
	var work errgroup.Group
	const share = 500
	for i := 0; i < len(deliveries); i += share {
		work.Go(func() error {
			for j := i; j < min(i+share, len(deliveries)); j++ {
				arrivals[j] = m.decode(&deliveries[j])
			}
			return nil
		})
	}
	return arrivals, work.Wait()
}

func (m *Model) decode(d *model.Delivery) arrival {
	a := arrival{attempt: d.Attempt, differs: d.Differs, secret: d.Secret}
	if !d.Repeat() {
		a.Event = model.Decode(d)
		return a
	}
	first, err := m.opt.Journal.Get(m.ctx, d.Message)
	if err != nil { // removed meanwhile: the repeat tells nothing any more
		first = model.Delivery{ID: d.ID, Source: d.Source}
	}
	a.Event = model.Decode(&first)
	a.Seq, a.Message, a.Received = d.Seq, d.Message, d.Received
	return a
}
