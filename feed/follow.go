package feed

import (
	"context"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"aspectop/broadcast"
	"aspectop/model"
)

// Run reads the journal and the status log until ctx ends: the history from its end
// backwards, and what comes. It waits while the journal cannot be read. It is called
// once.
func (f *Feed) Run(ctx context.Context) {
	for !f.opened {
		if err := f.Open(ctx); err != nil && broadcast.Sleep(ctx, retryTime) != nil {
			return
		}
	}
	var reading sync.WaitGroup
	reading.Go(func() { f.follow(ctx) })
	reading.Go(func() { f.history(ctx) })
	reading.Wait()
}

// Open finds out where the journal ends: what comes later is of this run. Run calls it
// unless it was called before.
func (f *Feed) Open(ctx context.Context) error {
	first, last, err := f.journal.Range(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.trouble(following, err)
	if err != nil {
		return err
	}
	f.opened = true
	places := f.place(ctx, last)
	f.change(func() {
		f.first, f.seen, f.oldest, f.before = first, last, last+1, last
		f.loading = last > 0
		for i, r := range slices.Backward(f.earlier) {
			f.note(places[i], model.Status{At: r.At, Rejected: &r})
		}
		f.earlier = nil
	})
	return nil
}

// place returns the delivery that each of the earlier rejected requests came behind. Of
// those between two that came behind the same one, none is asked about.
func (f *Feed) place(ctx context.Context, last int64) []int64 {
	places := make([]int64, len(f.earlier))
	ask := func(i int, low, high int64) {
		seq, err := f.journal.Since(ctx, f.earlier[i].At)
		if err != nil {
			seq = high
		}
		places[i] = min(max(seq, low), high) // a clock may have been set back
	}
	var between func(i, j int)
	between = func(i, j int) {
		for k := i + 1; k < j && places[i] == places[j]; k++ {
			places[k] = places[i]
		}
		if mid := (i + j) / 2; mid > i && places[i] != places[j] {
			ask(mid, places[j], places[i])
			between(i, mid)
			between(mid, j)
		}
	}
	if n := len(places); n > 0 {
		ask(0, 0, last)
		ask(n-1, 0, places[0])
		between(0, n-1)
	}
	return places
}

// readings are the ways in which the feed reads the journal, by what it says when one
// fails. Success of one says nothing of the other.
var readings = [...]string{following: "cannot read the journal: ", loading: "cannot read the history: "}

const (
	following = iota
	loading
)

// trouble keeps why a reading fails, or that it does not.
func (f *Feed) trouble(reading int, err error) {
	why := ""
	if err != nil {
		why = readings[reading] + err.Error()
	}
	f.mu.RLock()
	known := f.troubles[reading]
	f.mu.RUnlock()
	if why != known {
		f.change(func() { f.troubles[reading] = why })
	}
}

// follow folds what comes, in the journal and on the status log.
func (f *Feed) follow(ctx context.Context) {
	var commits <-chan struct{}
	if !f.sole {
		commits = model.News(ctx, f.journal.Wait)
	}
	statuses := f.log.News(ctx)
	behind := false // there may be more in the journal
	for ctx.Err() == nil {
		if !behind {
			select {
			case <-f.handed.news:
				behind = true
			case <-commits:
				behind = true
			case <-f.hurry:
				behind = true
			case <-statuses:
			case <-ctx.Done():
				return
			}
		}
		var arrivals []Arrival
		var err error
		if behind {
			arrivals, err = f.next(ctx)
			if ctx.Err() != nil {
				return
			}
			f.trouble(following, err)
		}
		f.take(arrivals)
		behind = err != nil || len(arrivals) == FullBatch
		pause := gatherTime
		switch {
		case err != nil:
			pause = retryTime
		case len(arrivals) >= flood:
			pause = floodTime
		}
		select {
		case <-time.After(pause):
		case <-f.hurry:
			behind = true
		case <-ctx.Done():
		}
	}
}

// next returns what comes after the newest arrival: from memory if this process has
// committed it, else from the journal. Only follow calls it, and changes seen.
func (f *Feed) next(ctx context.Context) ([]Arrival, error) {
	handed := f.handed.take(f.seen)
	if handed == nil {
		return f.After(ctx, f.seen)
	}
	arrivals := f.decodeAll(ctx, handed)
	for i := range arrivals {
		arrivals[i].delivery = &handed[i]
	}
	return arrivals, nil
}

func (f *Feed) take(arrivals []Arrival) {
	statuses, lost, next := f.log.After(f.statusSeen)
	f.statusSeen = next
	if len(arrivals)+len(statuses) == 0 {
		return
	}
	f.change(func() {
		for i := range arrivals {
			f.seen = max(f.seen, arrivals[i].Seq)
		}
		f.fold(arrivals, false)
		f.recent.add(arrivals)
		f.counters.count(f.board, arrivals)
		f.counters.Lost += lost
		untold := f.log.Untold()
		f.counters.Rejected += int(untold - f.untold)
		f.untold = untold
		for _, s := range statuses {
			f.takeStatus(s)
		}
	})
}

// history folds what was in the journal when it was opened, newest first. While
// one batch is decoded and folded, the next is read.
func (f *Feed) history(ctx context.Context) {
	if !f.loading { // only this goroutine changes loading and oldest
		return
	}
	batches := make(chan []model.Delivery)
	go f.readHistory(ctx, f.oldest, batches)
	folded := 0
	for deliveries := range batches {
		arrivals := f.decodeAll(ctx, deliveries)
		folded += len(arrivals)
		f.change(func() {
			f.fold(arrivals, true)
			f.oldest = arrivals[len(arrivals)-1].Seq
		})
	}
	if ctx.Err() != nil {
		return
	}
	f.change(func() { f.loading = false })
	if folded > longHistory {
		debug.FreeOSMemory()
	}
}

// longHistory is how many deliveries leave garbage worth giving back to the system
// when they are folded: about as much as what is kept of them.
const longHistory = 50_000

// readHistory sends what stands before seq, newest first, and closes the channel
// after the last or when ctx ends.
func (f *Feed) readHistory(ctx context.Context, seq int64, batches chan<- []model.Delivery) {
	defer close(batches)
	for {
		deliveries, err := f.journal.Before(ctx, seq, FullBatch)
		if ctx.Err() != nil {
			return
		}
		f.trouble(loading, err)
		if err != nil {
			_ = broadcast.Sleep(ctx, retryTime)
			continue
		}
		if len(deliveries) == 0 {
			return
		}
		select {
		case batches <- deliveries:
			seq = deliveries[len(deliveries)-1].Seq
		case <-ctx.Done():
			return
		}
	}
}

// fold takes arrivals, in whatever order, into all that they tell.
func (f *Feed) fold(arrivals []Arrival, history bool) {
	for i := range arrivals {
		a := &arrivals[i]
		f.board.Fold(&a.Event)
		f.index.Add(a.Seq)
		f.pace.Add(a.Received)
		if a.Received.After(f.newest) {
			f.newest = a.Received
		}
	}
	f.received.add(arrivals)
	for _, observe := range f.observers {
		observe(arrivals, history)
	}
	f.board.Settle() // from here on, reading it changes nothing
	f.takeChanged(history)
}

// Past is what [FoldAll] needs of a journal's reader.
type Past interface {
	Before(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
}

// pastBatch is how many deliveries [FoldAll] has in memory. Each may have a body of a
// megabyte.
const pastBatch = 64

// FoldAll folds a journal as it is now, for commands that do not follow it, and
// returns the number of its newest delivery. each is called for each message, newest
// first; nil: for none.
func FoldAll(ctx context.Context, j Past, each func(*model.Event)) (b *model.Board, last int64, err error) {
	b = model.NewBoard()
	if _, last, err = j.Range(ctx); err != nil || last == 0 {
		return b, last, err
	}
	for seq := last + 1; ; {
		deliveries, err := j.Before(ctx, seq, pastBatch)
		if err != nil || len(deliveries) == 0 {
			b.Settle()
			return b, last, err
		}
		for i := range deliveries {
			if seq = deliveries[i].Seq; deliveries[i].Repeat() {
				continue
			}
			e := model.Decode(&deliveries[i])
			b.Fold(&e)
			if each != nil {
				each(&e)
			}
		}
	}
}
