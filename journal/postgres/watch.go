package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aspectop/broadcast"
)

const (
	// pollSoon is how often the head row is read while deliveries come, and
	// pollLate how often when none has come for calm. NOTIFY would pass neither
	// every pooler nor every engine, and takes a global lock at each commit.
	pollSoon = 50 * time.Millisecond
	pollLate = 200 * time.Millisecond
	calm     = 5 * time.Second
	pollTime = 5 * time.Second
)

// watcher reads the head row for all readers of a pool.
type watcher struct {
	pool *pgxpool.Pool
	end  context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	news int64     // counts changes
	last int64     // of the head row; -1: it was never read
	at   time.Time // of the newest change
	err  error     // of the newest poll

	// signal is sent at each change, under mu.
	signal broadcast.Signal
}

func newWatcher(pool *pgxpool.Pool) *watcher {
	ctx, end := context.WithCancel(context.Background())
	w := &watcher{pool: pool, end: end, done: make(chan struct{}), last: -1}
	go w.run(ctx)
	return w
}

func (w *watcher) close() {
	w.end()
	<-w.done
}

// changes returns how many there were so far, a channel that is closed at the
// next, and why the newest poll failed.
func (w *watcher) changes() (news int64, next <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news, w.signal.Next(), w.err
}

// report lets readers know of a commit of this process before the next poll.
func (w *watcher) report(last int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last > w.last {
		w.last, w.err = last, nil
		w.changed()
	}
}

// changed counts a change. The caller holds mu.
func (w *watcher) changed() {
	w.news++
	w.at = time.Now()
	w.signal.Send()
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	for {
		timer := time.NewTimer(w.poll(ctx))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// poll reads the head row and returns how long to wait before the next poll.
func (w *watcher) poll(ctx context.Context) time.Duration {
	ctx, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	var last int64
	err := w.pool.QueryRow(ctx, `SELECT last FROM aspectop.head`).Scan(&last)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil && w.err == nil:
		w.err = err
		w.changed()
	case err == nil && (w.err != nil || last > w.last): // not less: a commit was told since
		w.last, w.err = max(last, w.last), nil
		w.changed()
	}
	if time.Since(w.at) > calm {
		return pollLate
	}
	return pollSoon
}
