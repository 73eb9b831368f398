package journal

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"time"

	"aspectop/model"
)

// maxWaiting is how many arrivals may wait for a commit. The receiver accepts fewer
// connections.
const maxWaiting = 4096

// Arrival is a delivery on its way into a store, and the numbers it was given.
type Arrival struct {
	Delivery *model.Delivery
	Header   string // as stored; see [AppendHeader]

	Seq, Message int64 // 0 until it is numbered
	Attempt      int
	Differs      bool

	ctx context.Context // of its Append
}

// NewArrival returns an arrival without numbers.
func NewArrival(ctx context.Context, d *model.Delivery) *Arrival {
	var room [2048]byte
	return &Arrival{Delivery: d, Header: string(AppendHeader(room[:0], d.Header, d.ID)), ctx: ctx}
}

// Repeat reports whether the message had arrived before.
func (a *Arrival) Repeat() bool { return a.Seq != a.Message }

// Wanted reports whether the caller of Append still waits.
func (a *Arrival) Wanted() bool { return a.ctx.Err() == nil }

// stored returns the delivery as a [Reader] returns it. It shares the headers and
// the body.
func (a *Arrival) stored() model.Delivery {
	d := *a.Delivery
	d.Seq, d.Message, d.Attempt, d.Differs = a.Seq, a.Message, a.Attempt, a.Differs
	d.Received = d.Received.UTC().Truncate(time.Microsecond)
	if len(d.Body) == 0 || a.Repeat() && !a.Differs {
		d.Body = nil
	}
	return d
}

// HandOver calls Committed, if it is set, with what was committed.
func (o *Options) HandOver(arrivals []*Arrival) {
	if o.Committed == nil {
		return
	}
	stored := make([]model.Delivery, len(arrivals))
	for i, a := range arrivals {
		stored[i] = a.stored()
	}
	o.Committed(stored)
}

// Group is a group commit: what is appended while a commit is under way goes into
// the next one together. So a lone arrival is committed at once, and the more come
// the more share one sync of the disk.
type Group struct {
	turn   sync.Locker
	commit func(take func() []*Arrival) error

	mu     sync.Mutex
	open   *batch // to further arrivals
	closed bool
	under  sync.WaitGroup // batches that are not committed yet
}

type batch struct {
	arrivals []*Arrival
	done     chan struct{} // closed when err is decided
	err      error
}

// NewGroup returns a group that calls commit while it holds turn. take returns the arrivals
// in the order in which they were added; until commit calls it, further ones are let in, so
// what has to wait for its turn elsewhere takes late. commit numbers those that it keeps.
func NewGroup(turn sync.Locker, commit func(take func() []*Arrival) error) *Group {
	return &Group{turn: turn, commit: commit}
}

// Append has deliveries committed together, in their order, and fills in their numbers;
// see [Journal].
func (g *Group) Append(ctx context.Context, deliveries ...*model.Delivery) error {
	arrivals := make([]*Arrival, len(deliveries))
	for i, d := range deliveries {
		arrivals[i] = NewArrival(ctx, d)
	}
	if err := g.add(ctx, arrivals); err != nil {
		return err
	}
	for i, a := range arrivals {
		if a.Seq == 0 {
			return fmt.Errorf("it was left out of the commit: %w", context.Cause(ctx)) // its time had run out
		}
		d := deliveries[i]
		d.Seq, d.Message, d.Attempt, d.Differs = a.Seq, a.Message, a.Attempt, a.Differs
	}
	return nil
}

// add has arrivals committed and returns the error of their commit. If ctx ends before,
// it returns too, and they may be committed all the same.
func (g *Group) add(ctx context.Context, arrivals []*Arrival) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return ErrClosed
	}
	b := g.open
	if b == nil {
		b = &batch{done: make(chan struct{})}
		g.open = b
		g.under.Add(1)
		go g.lead(b)
	} else if len(b.arrivals) >= maxWaiting {
		g.mu.Unlock()
		return fmt.Errorf("%d deliveries wait for the journal already", maxWaiting)
	}
	b.arrivals = append(b.arrivals, arrivals...)
	g.mu.Unlock()
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("the journal did not answer in time: %w", context.Cause(ctx))
	}
}

func (g *Group) lead(b *batch) {
	defer g.under.Done()
	g.turn.Lock()
	defer g.turn.Unlock()
	take := sync.OnceValue(func() []*Arrival { return g.gather(b) })
	b.err = g.commit(take)
	take()
	close(b.done)
}

// gather closes b to further arrivals and returns those it has. Those that are just about to come are let
// in: yielding costs nothing when there are none, and a timer would delay all.
func (g *Group) gather(b *batch) []*Arrival {
	size := 0
	for range 8 {
		g.mu.Lock()
		grown := len(b.arrivals) > size
		size = len(b.arrivals)
		g.mu.Unlock()
		if !grown {
			break
		}
		runtime.Gosched()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = nil
	return b.arrivals
}

// Close refuses further arrivals with [ErrClosed] and waits for the commits
// under way. It reports whether it is the first call.
func (g *Group) Close() (first bool) {
	g.mu.Lock()
	first = !g.closed
	g.closed = true
	g.mu.Unlock()
	g.under.Wait()
	return first
}

// Closed reports whether Close was called.
func (g *Group) Closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// Waiting is how many arrivals wait for the next commit.
func (g *Group) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		return 0
	}
	return len(g.open.arrivals)
}
