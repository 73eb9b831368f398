package journal

import (
	"context"
	"fmt"
	"runtime"
	"sync"
)

// Group is a group commit: what is added while a commit is under way waits, and
// goes into the next one together. So a lone arrival is committed at once, and
// the more come the more share one sync of the disk.
type Group[A any] struct {
	turn   sync.Locker
	commit func([]A) error
	limit  int

	mu     sync.Mutex
	open   *batch[A] // to further arrivals
	closed bool
	under  sync.WaitGroup // batches that are not committed yet
}

// A batch is what one transaction commits.
type batch[A any] struct {
	arrivals []A
	done     chan struct{} // closed when err is decided
	err      error
}

// NewGroup returns a group that calls commit with up to limit arrivals, in the
// order in which they were added, while it holds turn.
func NewGroup[A any](turn sync.Locker, limit int, commit func([]A) error) *Group[A] {
	return &Group[A]{turn: turn, limit: limit, commit: commit}
}

// Add has a committed and returns the error of its commit. If ctx ends before,
// it returns too, and a may be committed all the same. When limit arrivals wait,
// further ones are refused.
func (g *Group[A]) Add(ctx context.Context, a A) error {
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
		b = &batch[A]{done: make(chan struct{})}
		g.open = b
		g.under.Add(1)
		go g.lead(b)
	} else if len(b.arrivals) >= g.limit {
		g.mu.Unlock()
		return fmt.Errorf("%d deliveries wait for the journal already", g.limit)
	}
	b.arrivals = append(b.arrivals, a)
	g.mu.Unlock()
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return fmt.Errorf("the journal did not answer in time: %w", context.Cause(ctx))
	}
}

// lead commits b when its turn has come.
func (g *Group[A]) lead(b *batch[A]) {
	defer g.under.Done()
	g.turn.Lock()
	defer g.turn.Unlock()
	g.gather(b)
	b.err = g.commit(b.arrivals)
	close(b.done)
}

// gather closes b to further arrivals. Those that are just about to come are let
// in: yielding costs nothing when there are none, and a timer would delay all.
func (g *Group[A]) gather(b *batch[A]) {
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
	g.open = nil
	g.mu.Unlock()
}

// Close refuses further arrivals with [ErrClosed] and waits for the commits
// under way. It reports whether it is the first call.
func (g *Group[A]) Close() (first bool) {
	g.mu.Lock()
	first = !g.closed
	g.closed = true
	g.mu.Unlock()
	g.under.Wait()
	return first
}

// Closed reports whether Close was called.
func (g *Group[A]) Closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// Waiting is how many arrivals wait for the next commit.
func (g *Group[A]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		return 0
	}
	return len(g.open.arrivals)
}
