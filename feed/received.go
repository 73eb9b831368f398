package feed

import (
	"maps"
	"slices"
	"time"

	"aspectop/model"
)

// maxReceived is how many messages can be found by their ids, some 100 bytes each.
const maxReceived = 50_000

// received finds the newest maxReceived messages by their svix-ids, which the journal
// has no index for.
type received struct {
	byID  map[string]kept
	floor int64     // nothing is known of messages below
	since time.Time // when the oldest that is known arrived; zero: none is
}

type kept struct {
	seq int64
	at  time.Time
}

func newReceived() received { return received{byID: map[string]kept{}} }

// Received is the number of the first delivery of a message and when it arrived,
// if it is among those that are known.
func (f *Feed) Received(id string) (seq int64, at time.Time, known bool) {
	k, known := f.received.byID[id]
	return k.seq, k.at, known
}

// ReceivedSince is when the oldest message arrived that [Feed.Received] knows;
// the zero time if it knows none.
func (f *Feed) ReceivedSince() time.Time { return f.received.since }

// add enters what was folded, in any order. Only webhooks have the ids of Aspect's
// messages.
func (r *received) add(arrivals []Arrival) {
	for i := range arrivals {
		a := &arrivals[i]
		if a.Source != model.SourceWebhook || a.Message < r.floor {
			continue
		}
		if _, known := r.byID[a.ID]; known && a.Repeat() {
			continue
		}
		seq := a.Message
		if a.Twin { // the message is not this webhook
			seq = a.Seq
		}
		r.byID[a.ID] = kept{seq, a.Received}
		if r.since.IsZero() || a.Received.Before(r.since) {
			r.since = a.Received
		}
	}
	if len(r.byID) > maxReceived*6/5 { // seldom, as it costs a sort
		r.forget()
	}
}

func (r *received) forget() {
	seqs := make([]int64, 0, len(r.byID))
	for _, k := range r.byID {
		seqs = append(seqs, k.seq)
	}
	slices.Sort(seqs)
	r.floor, r.since = seqs[len(seqs)-maxReceived], time.Time{}
	maps.DeleteFunc(r.byID, func(_ string, k kept) bool { return k.seq < r.floor })
	for _, k := range r.byID {
		if r.since.IsZero() || k.at.Before(r.since) {
			r.since = k.at
		}
	}
}
