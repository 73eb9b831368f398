package model

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aspectop/broadcast"
)

// Status is one entry of the [StatusLog]: something that happened here and is
// not a kept delivery. Exactly one of Rejected, Forward, Tunnel, Viewer and Notice
// is set.
type Status struct {
	Pos      int64 // place in the log, from 1
	At       time.Time
	Rejected *Rejected
	Forward  *Forward
	Tunnel   *Tunnel
	Viewer   *Viewer
	Notice   string // a sentence about the program itself, such as why it answers 503
}

// Rejected is a request that was refused, with as much of it as is held.
type Rejected struct {
	ID      string // svix-id as claimed, unverified
	Verdict Verdict
	Header  map[string][]string // at most 8 KiB
	Body    []byte              // the first 4 KiB
	Size    int64               // of the body as far as it was read, in bytes
}

// Viewer is a remote viewer who joined or left.
type Viewer struct {
	Name     string // as the host calls them
	Address  string
	Since    time.Time
	Left     bool
	Watching int // how many viewers there are then
}

func (v *Viewer) String() string {
	what := " watches"
	if v.Left {
		what = " has left"
	}
	return fmt.Sprintf("%s (%s)%s; %d watching", v.Name, v.Address, what, v.Watching)
}

// StatusLog holds the newest entries in memory, for readers with a cursor each. It
// never blocks a writer nor grows: what a reader was too slow for is counted instead.
// Any number of goroutines may use it.
type StatusLog struct {
	mu   sync.Mutex
	ring []Status // entry at Pos p stands at (p-1) % cap
	last int64
	news broadcast.Signal
}

// NewStatusLog returns an empty log that holds the newest n entries; n is
// greater than 0.
func NewStatusLog(n int) *StatusLog { return &StatusLog{ring: make([]Status, n)} }

// Add appends s and gives it its Pos.
func (l *StatusLog) Add(s Status) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	s.Pos = l.last
	l.ring[(s.Pos-1)%int64(len(l.ring))] = s
	l.news.Send()
}

// Wait returns when there is an entry behind the cursor, or ctx ends.
func (l *StatusLog) Wait(ctx context.Context, cursor int64) error {
	return l.news.Wait(ctx, func() bool { return l.newest() > cursor })
}

func (l *StatusLog) newest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// News sends on the channel when there are entries that it has not signalled, until ctx
// ends; see [News].
func (l *StatusLog) News(ctx context.Context) <-chan struct{} {
	cursor := int64(0)
	return News(ctx, func(ctx context.Context) error {
		err := l.Wait(ctx, cursor)
		cursor = l.newest()
		return err
	})
}

// After returns the entries behind the cursor, oldest first, how many were overwritten
// before they were read, and the next cursor. A new reader starts at 0.
func (l *StatusLog) After(cursor int64) (entries []Status, lost, next int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := min(max(cursor, l.last-int64(len(l.ring))), l.last)
	entries = make([]Status, 0, l.last-from)
	for p := from + 1; p <= l.last; p++ {
		entries = append(entries, l.ring[(p-1)%int64(len(l.ring))])
	}
	return entries, max(0, from-cursor), l.last
}

// newsPace is the least time between two signals of [News], so that a flood is
// read in batches.
const newsPace = 20 * time.Millisecond

// News calls wait until ctx ends, and sends on the returned channel after each call,
// unless a signal is pending: at most 50 times a second, after an error once a second.
// The error is for the next read to report.
func News(ctx context.Context, wait func(context.Context) error) <-chan struct{} {
	news := make(chan struct{}, 1)
	go func() {
		for ctx.Err() == nil {
			pause := newsPace
			if err := wait(ctx); err != nil {
				pause = time.Second
			}
			select {
			case news <- struct{}{}:
			default:
			}
			_ = broadcast.Sleep(ctx, pause)
		}
	}()
	return news
}
