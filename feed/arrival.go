package feed

import (
	"context"
	"sync"

	"aspectop/model"
)

// Arrival is one delivery, decoded. A repeat tells what the message's first
// delivery told.
type Arrival struct {
	model.Event
	Attempt int
	Differs bool
	Secret  string // that verified it
	Damage  string // what of it could not be read
}

// Repeat reports whether the message had arrived before.
func (a *Arrival) Repeat() bool { return a.Message != a.Seq }

// TellsFailure reports whether it tells that a task failed, or one of its
// features: Aspect may go on with the others.
func (a *Arrival) TellsFailure() bool {
	if a.Kind == model.Failure {
		return true
	}
	if a.Task == nil {
		return false
	}
	for _, f := range a.Task.Features {
		if f.State == model.Failed {
			return true
		}
	}
	return false
}

// After reads a batch of deliveries behind seq, oldest first. Fewer than
// [FullBatch] are the last ones. It needs no lock.
func (f *Feed) After(ctx context.Context, seq int64) ([]Arrival, error) {
	return f.read(ctx, seq, f.journal.After)
}

// Before reads a batch of deliveries before seq, newest first; see After.
func (f *Feed) Before(ctx context.Context, seq int64) ([]Arrival, error) {
	return f.read(ctx, seq, f.journal.Before)
}

// FullBatch is how many deliveries After and Before return if there are as many.
const FullBatch = batchSize

// Row reads one delivery. It needs no lock.
func (f *Feed) Row(ctx context.Context, seq int64) (Arrival, error) {
	d, err := f.rows.Get(ctx, seq)
	if err != nil {
		return Arrival{}, err
	}
	return f.decode(ctx, &d), nil
}

// Range returns the least and the greatest number in the journal. It needs no
// lock.
func (f *Feed) Range(ctx context.Context) (first, last int64, err error) { return f.rows.Range(ctx) }

func (f *Feed) read(ctx context.Context, seq int64, fetch func(context.Context, int64, int) ([]model.Delivery, error)) ([]Arrival, error) {
	deliveries, err := fetch(ctx, seq, batchSize)
	if err != nil {
		return nil, err
	}
	return f.decodeAll(ctx, deliveries), nil
}

// decodeAll decodes a batch on all cores.
func (f *Feed) decodeAll(ctx context.Context, deliveries []model.Delivery) []Arrival {
	arrivals := make([]Arrival, len(deliveries))
	var work sync.WaitGroup
	const share = 500
	for i := 0; i < len(deliveries); i += share {
		work.Go(func() {
			for j := i; j < min(i+share, len(deliveries)); j++ {
				arrivals[j] = f.decode(ctx, &deliveries[j])
			}
		})
	}
	work.Wait()
	return arrivals
}

func (f *Feed) decode(ctx context.Context, d *model.Delivery) Arrival {
	a := Arrival{Attempt: d.Attempt, Differs: d.Differs, Secret: d.Secret, Damage: d.Damage}
	if !d.Repeat() {
		a.Event = model.Decode(d)
		return a
	}
	first, err := f.rows.Get(ctx, d.Message)
	if err != nil { // removed meanwhile: the repeat tells nothing any more
		first = model.Delivery{ID: d.ID, Source: d.Source}
	}
	a.Event = model.Decode(&first)
	a.Seq, a.Message, a.Received = d.Seq, d.Message, d.Received
	return a
}

// maxRecent is how many of the newest arrivals are kept at hand, so that screens
// that follow need not read what was just folded.
const maxRecent = 1000

// recent holds the newest arrivals.
type recent struct {
	bySeq map[int64]*Arrival
	order []int64 // ascending
}

func newRecent() recent { return recent{bySeq: map[int64]*Arrival{}} }

func (r *recent) add(arrivals []Arrival) {
	if len(arrivals) > maxRecent {
		arrivals = arrivals[len(arrivals)-maxRecent:]
	}
	if more := len(r.order) + len(arrivals) - maxRecent; more > 0 {
		for _, seq := range r.order[:more] {
			delete(r.bySeq, seq)
		}
		r.order = append(r.order[:0], r.order[more:]...)
	}
	for i := range arrivals {
		a := arrivals[i] // a copy: the batch it came in is let go
		r.bySeq[a.Seq] = &a
		r.order = append(r.order, a.Seq)
	}
}

// Recent is one of the newest arrivals, or nil.
func (f *Feed) Recent(seq int64) *Arrival { return f.recent.bySeq[seq] }

// RecentFrom is the number from which on all arrivals are at hand.
func (f *Feed) RecentFrom() int64 {
	if len(f.recent.order) == 0 {
		return f.seen + 1
	}
	return f.recent.order[0]
}
