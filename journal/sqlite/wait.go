package sqlite

import (
	"context"
	"sync"
	"time"
)

const (
	// pollSoon is how often a reader asks the file for commits of another process
	// while they come, and pollLate how often when none has come for calm.
	pollSoon = 50 * time.Millisecond
	pollLate = 200 * time.Millisecond
	calm     = 5 * time.Second
	// checkEvery is how often a reader that is told about commits makes sure that
	// the file is still there.
	checkEvery = 5 * time.Second
)

// news tells the readers of the writer's own process about commits, so that they
// need not ask the file.
type news struct {
	mu      sync.Mutex
	commits int64
	next    chan struct{} // closed at the next commit; nil while nobody waits
}

func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.commits++
	if n.next != nil {
		close(n.next)
		n.next = nil
	}
}

// after returns the number of commits so far and, if it is not greater than
// seen, a channel that is closed at the next.
func (n *news) after(seen int64) (commits int64, next <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.commits > seen {
		return n.commits, nil
	}
	if n.next == nil {
		n.next = make(chan struct{})
	}
	return n.commits, n.next
}

// Wait returns when something was committed since its last call returned; see
// [journal.Reader].
func (r *Reader) Wait(ctx context.Context) error {
	if r.news == nil {
		return r.poll(ctx)
	}
	for {
		commits, next := r.news.after(r.seen)
		if next == nil {
			r.seen = commits
			return r.check(ctx)
		}
		select {
		case <-next:
			continue
		case <-ctx.Done():
			return ctx.Err()
		case <-r.closed:
		case <-time.After(checkEvery):
		}
		if err := r.check(ctx); err != nil {
			return err
		}
	}
}

// poll asks the file until it has changed.
func (r *Reader) poll(ctx context.Context) error {
	for start := time.Now(); ; {
		changed, err := r.changed(ctx)
		if changed || err != nil {
			return err
		}
		wait := pollSoon
		if time.Since(start) > calm {
			wait = pollLate
		}
		if err := r.sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// sleep waits, or until ctx ends or the reader is closed.
func (r *Reader) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.closed:
	case <-ctx.Done():
	}
	return r.check(ctx)
}

// check says why the reader cannot be used.
func (r *Reader) check(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.usable(ctx)
}
