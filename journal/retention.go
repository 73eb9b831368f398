package journal

import (
	"crypto/sha256"
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

// Latest holds, for each task told of by deliveries that are old enough to go,
// which of them tells the latest. It is kept if the task was not done by then,
// until the next to grow old tells more: then the task is known to go on.
type Latest map[string]latestEvent

type latestEvent struct {
	Removal
	updated time.Time
	open    bool // not done, so the delivery is kept
}

// Add takes the next delivery and appends to gone what need not be kept now.
func (l Latest) Add(gone []Removal, d *model.Delivery) []Removal {
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

// unfinished reports whether an event tells of a task that goes on.
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
