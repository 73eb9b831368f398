// Package broadcast wakes goroutines: all that wait for a change, and one that waits for
// a while.
package broadcast

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Signal tells any number of goroutines that something changed. The zero Signal is
// ready.
//
// To miss nothing, call Next before looking at what is waited for, or under the lock
// that Send is called under. Wait does the former.
type Signal struct {
	mu   sync.Mutex
	next chan struct{} // nil while nothing waits
}

// Next returns a channel that the next Send closes.
func (s *Signal) Next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == nil {
		s.next = make(chan struct{})
	}
	return s.next
}

// Wait returns when is reports true, which is asked at once and after each Send, or
// when ctx ends, with its error.
func (s *Signal) Wait(ctx context.Context, is func() bool) error {
	for {
		next := s.Next()
		if is() {
			return ctx.Err()
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Send wakes all that wait. It costs next to nothing while nothing does.
func (s *Signal) Send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next != nil {
		close(s.next)
		s.next = nil
	}
}

// Nudge signals on a channel with room for one signal, for one goroutine that waits. If the
// last signal was not taken yet, that is enough.
func Nudge(signals chan<- struct{}) {
	select {
	case signals <- struct{}{}:
	default:
	}
}

// Sleep waits until d has passed; if ctx ends before, its error says so.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// Jittered is d ±10 percent, so that programs that started together spread out.
func Jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

// Grow is the pause after the nth failure in a row: base, doubled each time, at most
// limit.
func Grow(base, limit time.Duration, n int) time.Duration {
	for range n - 1 {
		if base *= 2; base >= limit {
			return limit
		}
	}
	return min(base, limit)
}
