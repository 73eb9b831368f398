package feed

import (
	"context"
	"slices"
	"sync"
	"time"

	"aspectop/model"
)

// Arrival is one delivery, decoded. A repeat has the content of the message's first
// delivery. It is shared by all readers: do not change it.
type Arrival struct {
	model.Event
	Attempt int
	Differs bool
	Secret  string // that verified it
	Twin    bool   // a repeat of a message that came first by another way, under another id
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
	return a.Kind == model.Failure || a.Task != nil &&
		slices.ContainsFunc(a.Task.Features, func(f model.Feature) bool { return f.State == model.Failed })
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
	arrivals := f.decodeAll(ctx, deliveries)
	for i := range arrivals {
		if arrivals[i].Seq <= seen {
			found = append(found, &arrivals[i])
		}
	}
	return found, nil
}

// Effect tells what an arrival did to its task, and the task as it is now: nil if
// it tells of none. It is right once the history is folded, see [Feed.Loaded]. A
// repeat did nothing. It is called with the lock held.
func (f *Feed) Effect(a *Arrival) (*model.Task, model.Effect) {
	t := f.board.TaskOf(&a.Event)
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
	a := f.recent.get(seq)
	f.mu.RUnlock()
	if a != nil && a.delivery != nil {
		return *a.delivery, nil
	}
	return f.rows.Get(ctx, seq)
}

// Row is Delivery, decoded.
func (f *Feed) Row(ctx context.Context, seq int64) (Arrival, error) {
	d, err := f.Delivery(ctx, seq)
	if err != nil {
		return Arrival{}, err
	}
	return f.decodeAll(ctx, []model.Delivery{d})[0], nil
}

// FullBatch is how many deliveries After and Before return, and how many are folded at
// once, if there are as many. Decoding them takes some 10 ms beside the lock, folding
// them some 4 ms under it.
const FullBatch = 4000

// After reads a batch of deliveries behind seq from the journal, oldest first.
// Fewer than [FullBatch] are the last ones. It needs no lock.
func (f *Feed) After(ctx context.Context, seq int64) ([]Arrival, error) {
	deliveries, err := f.journal.After(ctx, seq, FullBatch)
	return f.decodeAll(ctx, deliveries), err
}

// Before reads a batch of deliveries before seq, newest first; see After.
func (f *Feed) Before(ctx context.Context, seq int64) ([]Arrival, error) {
	deliveries, err := f.journal.Before(ctx, seq, FullBatch)
	return f.decodeAll(ctx, deliveries), err
}

// Range returns the least and the greatest number in the journal. It needs no
// lock.
func (f *Feed) Range(ctx context.Context) (first, last int64, err error) { return f.rows.Range(ctx) }

// SeqBefore returns the greatest number received before t; 0 if there is none. It needs
// no lock.
func (f *Feed) SeqBefore(ctx context.Context, t time.Time) (int64, error) {
	return f.rows.Since(ctx, t)
}

// decodeAll decodes a batch on all cores, each body once.
func (f *Feed) decodeAll(ctx context.Context, deliveries []model.Delivery) []Arrival {
	arrivals := make([]Arrival, len(deliveries))
	const share = 500
	var work sync.WaitGroup
	from := 0
	for ; from+share < len(deliveries); from += share {
		some, into := deliveries[from:from+share], arrivals[from:]
		work.Go(func() { decodeSome(some, into) })
	}
	decodeSome(deliveries[from:], arrivals[from:])
	work.Wait()
	var batch map[int64]*Arrival // made for the first repeat
	for i := range arrivals {
		a := &arrivals[i]
		if !a.Repeat() {
			continue
		}
		if batch == nil {
			batch = make(map[int64]*Arrival, len(arrivals))
			for j := range arrivals {
				batch[arrivals[j].Seq] = &arrivals[j]
			}
		}
		message := f.message(ctx, a, batch)
		a.Twin = message.ID != a.ID
		message.Seq, message.Message, message.Received = a.Seq, a.Message, a.Received
		message.ID, message.Source = a.ID, a.Source
		a.Event = message
	}
	return arrivals
}

// decodeSome decodes all but repeats, which have no content of their own.
func decodeSome(deliveries []model.Delivery, into []Arrival) {
	for i := range deliveries {
		d, a := &deliveries[i], &into[i]
		a.Attempt, a.Differs, a.Secret, a.Damage = d.Attempt, d.Differs, d.Secret, d.Damage
		if d.Repeat() {
			a.Event = model.Event{Seq: d.Seq, Message: d.Message, ID: model.ValidText(d.ID), Source: d.Source, Received: d.Received}
		} else {
			a.Event = model.Decode(d)
		}
	}
}

// message is the first delivery of a repeated message, decoded: from the batch, from
// memory or from the journal.
func (f *Feed) message(ctx context.Context, a *Arrival, batch map[int64]*Arrival) model.Event {
	known := batch[a.Message]
	if known == nil {
		f.mu.RLock()
		known = f.recent.get(a.Message)
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
