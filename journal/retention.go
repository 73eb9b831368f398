package journal

import (
	"crypto/sha256"
	"errors"
	"time"

	"aspectop/model"
)

// RememberIDs is how long an id is known at least, also after its delivery was
// removed. Svix repeats a delivery for 28 hours.
const RememberIDs = 48 * time.Hour

// Removal is a delivery to be removed, and what is remembered of it.
type Removal struct {
	Seq      int64
	ID       string
	Received time.Time
	Digest   [sha256.Size]byte // of the body
}

// RemoveDeliveries removes the deliveries up to end, except the newest event of each
// task that is not done by then. read returns the next deliveries after a number.
func RemoveDeliveries(end int64, read func(after int64) ([]model.Delivery, error), remove func([]Removal) error) error {
	latest := make(latestEvents)
	for after := int64(0); after < end; {
		found, err := read(after)
		if err != nil || len(found) == 0 {
			return err
		}
		var gone []Removal
		for i := range found {
			after, gone = found[i].Seq, latest.add(gone, &found[i])
		}
		if len(gone) == 0 {
			continue
		}
		if err := remove(gone); err != nil {
			return err
		}
	}
	return nil
}

// LastBefore returns the greatest number received before t, 0 if there is none, by a
// binary search in the numbers from first to last. at returns the first arrival at or
// after a number, or ErrNotFound.
func LastBefore(first, last int64, t time.Time, at func(int64) (seq int64, received time.Time, err error)) (before int64, err error) {
	for first <= last { // what follows last is known not to be before t
		middle := first + (last-first)/2
		seq, received, err := at(middle)
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			return 0, err
		case err == nil && seq <= last && received.Before(t):
			before, first = seq, seq+1
		default:
			last = middle - 1
		}
	}
	return before, nil
}

// latestEvents holds the newest of the old events of each task. It is kept while the
// task was not done by then.
type latestEvents map[string]latestEvent

type latestEvent struct {
	Removal
	updated time.Time
	open    bool // not done, so the delivery is kept
}

// add takes the next delivery and appends to gone what need not be kept now.
func (l latestEvents) add(gone []Removal, d *model.Delivery) []Removal {
	r := Removal{Seq: d.Seq, ID: d.ID, Received: d.Received, Digest: sha256.Sum256(d.Body)}
	e := model.Decode(d)
	if e.Task == nil {
		return append(gone, r)
	}
	next := latestEvent{r, e.Task.Updated, unfinished(e)}
	last, known := l[e.Task.ID]
	older := next.updated.Before(last.updated)
	late := next.updated.Equal(last.updated) && next.open && !last.open
	if known && (older || late) {
		return append(gone, r)
	}
	l[e.Task.ID] = next
	if last.open {
		gone = append(gone, last.Removal)
	}
	if !next.open {
		gone = append(gone, r)
	}
	return gone
}

func unfinished(e model.Event) bool {
	if e.Kind != model.Progress {
		return false
	}
	for _, f := range e.Task.Features {
		if !f.State.Terminal() && !model.Internal(f.Name) {
			return true
		}
	}
	return false
}
