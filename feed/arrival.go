package feed

import (
	"context"
	"sync"
	"time"

	"aspectop/model"
)

// Arrival is one delivery, decoded. A repeat tells what the message's first
// delivery told. It is shared by all readers: do not change it.
type Arrival struct {
	model.Event
	Attempt int
	Differs bool
	Secret  string // that verified it
	Damage  string // what of it could not be read

	// delivery has the headers and the body of one that this process has just
	// committed; nil if they must be read from the journal.
	delivery *model.Delivery
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

// Read returns at most limit arrivals behind seq that the feed has folded, oldest
// first; none if seq is the newest. The newest come from memory, older ones are
// read and decoded again. It needs no lock.
func (f *Feed) Read(ctx context.Context, seq int64, limit int) ([]*Arrival, error) {
	f.mu.RLock()
	seen := f.seen
	found, all := f.recent.after(seq, limit)
	f.mu.RUnlock()
	if all || seq >= seen {
		return found, nil
	}
	deliveries, err := f.rows.After(ctx, seq, limit)
	if err != nil {
		return nil, err
	}
	for len(deliveries) > 0 && deliveries[len(deliveries)-1].Seq > seen {
		deliveries = deliveries[:len(deliveries)-1]
	}
	arrivals := f.decodeAll(ctx, deliveries)
	found = make([]*Arrival, len(arrivals))
	for i := range arrivals {
		found[i] = &arrivals[i]
	}
	return found, nil
}

// Effect tells what an arrival did to its task, and the task as it is now: nil if
// it tells of none. It is right once the history is folded, see [Feed.Loaded]. A
// repeat did nothing. It is called with the lock held.
func (f *Feed) Effect(a *Arrival) (*model.Task, model.Effect) {
	if a.Task == nil {
		return nil, model.Effect{}
	}
	t := f.board.Task(a.Task.ID)
	if t == nil || a.Repeat() {
		return t, model.Effect{}
	}
	effect, _ := t.Effect(a.Seq)
	return t, effect
}

// Delivery returns a delivery with its headers and its body: from memory if this
// process has just committed it, else from the journal. It needs no lock.
func (f *Feed) Delivery(ctx context.Context, seq int64) (model.Delivery, error) {
	f.mu.RLock()
	a := f.recent.bySeq[seq]
	f.mu.RUnlock()
	if a != nil && a.delivery != nil {
		return *a.delivery, nil
	}
	return f.rows.Get(ctx, seq)
}

// After reads a batch of deliveries behind seq from the journal, oldest first.
// Fewer than [FullBatch] are the last ones. It needs no lock.
func (f *Feed) After(ctx context.Context, seq int64) ([]Arrival, error) {
	return f.read(ctx, seq, f.journal.After)
}

// Before reads a batch of deliveries before seq, newest first; see After.
func (f *Feed) Before(ctx context.Context, seq int64) ([]Arrival, error) {
	return f.read(ctx, seq, f.journal.Before)
}

// FullBatch is how many deliveries After and Before return if there are as many.
const FullBatch = batchSize

// Row returns one delivery, decoded. It needs no lock.
func (f *Feed) Row(ctx context.Context, seq int64) (Arrival, error) {
	d, err := f.rows.Get(ctx, seq)
	if err != nil {
		return Arrival{}, err
	}
	return f.decodeAll(ctx, []model.Delivery{d})[0], nil
}

// Range returns the least and the greatest number in the journal. It needs no
// lock.
func (f *Feed) Range(ctx context.Context) (first, last int64, err error) { return f.rows.Range(ctx) }

// SeqBefore returns the greatest number received before t; 0 if there is none. It needs
// no lock.
func (f *Feed) SeqBefore(ctx context.Context, t time.Time) (int64, error) {
	return f.rows.Since(ctx, t)
}

func (f *Feed) read(ctx context.Context, seq int64, fetch func(context.Context, int64, int) ([]model.Delivery, error)) ([]Arrival, error) {
	deliveries, err := fetch(ctx, seq, batchSize)
	if err != nil {
		return nil, err
	}
	return f.decodeAll(ctx, deliveries), nil
}

// decodeAll decodes a batch on all cores, each body once.
func (f *Feed) decodeAll(ctx context.Context, deliveries []model.Delivery) []Arrival {
	arrivals := make([]Arrival, len(deliveries))
	const share = 500
	var work sync.WaitGroup
	for i := 0; i < len(deliveries); i += share {
		to := min(i+share, len(deliveries))
		if to == len(deliveries) {
			decodeSome(deliveries[i:], arrivals[i:])
			break
		}
		work.Go(func() { decodeSome(deliveries[i:to], arrivals[i:to]) })
	}
	work.Wait()
	var batch map[int64]*Arrival // made for the first repeat
	for i := range arrivals {
		if !arrivals[i].Repeat() {
			continue
		}
		if batch == nil {
			batch = make(map[int64]*Arrival, len(arrivals))
			for j := range arrivals {
				batch[arrivals[j].Seq] = &arrivals[j]
			}
		}
		arrivals[i].repeatOf(f.message(ctx, &arrivals[i], batch))
	}
	return arrivals
}

// decodeSome decodes all but repeats, which are left without what their messages told.
func decodeSome(deliveries []model.Delivery, into []Arrival) {
	for i := range deliveries {
		d, a := &deliveries[i], &into[i]
		a.Attempt, a.Differs, a.Secret, a.Damage = d.Attempt, d.Differs, d.Secret, d.Damage
		if d.Repeat() {
			a.Event = model.Event{Seq: d.Seq, Message: d.Message, ID: d.ID, Source: d.Source, Received: d.Received}
		} else {
			a.Event = model.Decode(d)
		}
	}
}

// repeatOf takes over what the message told.
func (a *Arrival) repeatOf(message model.Event) {
	message.Seq, message.Message, message.Received = a.Seq, a.Message, a.Received
	a.Event = message
}

// message is what the first delivery of a repeated message told: from the batch, from
// memory or from the journal.
func (f *Feed) message(ctx context.Context, a *Arrival, batch map[int64]*Arrival) model.Event {
	known := batch[a.Message]
	if known == nil {
		f.mu.RLock()
		known = f.recent.bySeq[a.Message]
		f.mu.RUnlock()
	}
	if known != nil {
		return known.Event
	}
	first, err := f.rows.Get(ctx, a.Message)
	if err != nil { // removed meanwhile: the repeat tells nothing any more
		return a.Event
	}
	return model.Decode(&first)
}
