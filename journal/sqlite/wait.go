package sqlite

import (
	"context"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
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
	commits atomic.Int64
	changed broadcast.Signal
}

func (n *news) report() {
	n.commits.Add(1)
	n.changed.Send()
}

// Wait returns when something was committed since its last call returned; see
// [journal.Reader].
func (r *Reader) Wait(ctx context.Context) error {
	if r.news == nil {
		return r.poll(ctx)
	}
	for {
		next := r.news.changed.Next()
		if commits := r.news.commits.Load(); commits > r.seen {
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
