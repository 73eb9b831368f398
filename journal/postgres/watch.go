package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// lookSoon is how often the head row is read while deliveries come, and
	// lookLate how often when none has come for calm. NOTIFY would pass neither
	// every pooler nor every engine, and takes a global lock at each commit.
	lookSoon = 50 * time.Millisecond
	lookLate = 200 * time.Millisecond
	calm     = 5 * time.Second
	lookTime = 5 * time.Second
)

// watcher reads the head row for all readers of a pool.
type watcher struct {
	pool *pgxpool.Pool
	end  context.CancelFunc
	done chan struct{}

	mu   sync.Mutex
	news int64 // counts changes
	last int64 // of the head row; -1: it was never read
	err  error // of the newest look
	next chan struct{}
	kick chan struct{}
}

func newWatcher(pool *pgxpool.Pool) *watcher {
	ctx, end := context.WithCancel(context.Background())
	w := &watcher{pool: pool, end: end, done: make(chan struct{}), last: -1, next: make(chan struct{}), kick: make(chan struct{}, 1)}
	go w.run(ctx)
	return w
}

func (w *watcher) close() {
	w.end()
	<-w.done
}

// after returns the number of changes so far, a channel that is closed at the
// next, and why the newest look failed.
func (w *watcher) after(seen int64) (news int64, next <-chan struct{}, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.news, w.next, w.err
}

// tell has the head row read at once.
func (w *watcher) tell() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

func (w *watcher) run(ctx context.Context) {
	defer close(w.done)
	changed := time.Now()
	for {
		if w.look(ctx) {
			changed = time.Now()
		}
		wait := lookSoon
		if time.Since(changed) > calm {
			wait = lookLate
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-w.kick:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// look reads the head row and reports whether it has changed.
func (w *watcher) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	var last int64
	err := w.pool.QueryRow(ctx, `SELECT last FROM aspectop.head`).Scan(&last)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil && w.err == nil && last == w.last || err != nil && w.err != nil {
		return false
	}
	if w.err = err; err == nil {
		w.last = last
	}
	w.news++
	close(w.next)
	w.next = make(chan struct{})
	return true
}
