package ui

import (
	"slices"
	"time"

	"aspectop/model"
)

// maxReceived is how many messages can be found by their ids. Each takes about
// a hundred bytes; the lists of Aspect's API that are held against them have a
// hundred entries.
const maxReceived = 50_000

// received finds kept messages by their svix-ids, which the journal has no
// index for. It knows the newest maxReceived of those that were folded.
type received struct {
	byID  map[string]kept
	floor int64     // nothing is known of messages below
	since time.Time // when the oldest that is known arrived; zero: none is
}

// kept is where a message stands in the journal.
type kept struct {
	seq int64
	at  time.Time
}

// add enters what was folded, in whatever order. Only webhooks count: their ids
// are those of Aspect's messages.
func (r *received) add(arrivals []arrival) {
	if r.byID == nil {
		r.byID = map[string]kept{}
	}
	for i := range arrivals {
		a := &arrivals[i]
		if a.Source != model.SourceWebhook || a.Message < r.floor {
			continue
		}
		if _, known := r.byID[a.ID]; known && a.repeat() {
			continue
		}
		r.byID[a.ID] = kept{a.Message, a.Received}
		if r.since.IsZero() || a.Received.Before(r.since) {
			r.since = a.Received
		}
	}
	if len(r.byID) > maxReceived*6/5 { // seldom, as it costs a sort
		r.forget()
	}
}

// forget lets the oldest go.
func (r *received) forget() {
	seqs := make([]int64, 0, len(r.byID))
	for _, k := range r.byID {
		seqs = append(seqs, k.seq)
	}
	slices.Sort(seqs)
	r.floor, r.since = seqs[len(seqs)-maxReceived], time.Time{}
	for id, k := range r.byID {
		switch {
		case k.seq < r.floor:
			delete(r.byID, id)
		case r.since.IsZero() || k.at.Before(r.since):
			r.since = k.at
		}
	}
}

// grace is how old a message has to be before it is missed: it may be under way.
const grace = 10 * time.Second

// here says what became of one of Aspect's messages in this place.
type here struct {
	is  hereIs
	row rowKey    // of the delivery or the refusal
	at  time.Time // when that came
}

type hereIs uint8

const (
	hereNotKept hereIs = iota // and nobody can say whether it should be
	hereReading               // the journal has not been read that far
	hereComing                // sent a moment ago
	hereArrived
	hereRefused
	hereMissing
)

// join holds messages against what arrived.
func (m *Model) join(messages []SentMessage) []here {
	refused := map[string]*note{}
	for i := range m.log.notes {
		if n := &m.log.notes[i]; n.Rejected != nil && n.Rejected.ID != "" {
			refused[n.Rejected.ID] = n
		}
	}
	// A receiver knows of what was sent since it was started; the journal knows
	// of what was sent since it began.
	since := m.received.since
	if m.opt.Receiver != "" && (since.IsZero() || m.run.started.Before(since)) {
		since = m.run.started
	}
	joined := make([]here, len(messages))
	for i := range messages {
		msg, h := &messages[i], &joined[i]
		switch k, arrived := m.received.byID[msg.ID]; {
		case arrived:
			*h = here{hereArrived, rowKey{seq: k.seq}, k.at}
		case refused[msg.ID] != nil:
			*h = here{hereRefused, refused[msg.ID].key, refused[msg.ID].At}
		case m.loading && m.seen > 0:
			h.is = hereReading
		case since.IsZero() || !msg.Time.After(since):
			h.is = hereNotKept
		case m.at.Sub(msg.Time) < grace:
			h.is = hereComing
		default:
			h.is = hereMissing
		}
	}
	return joined
}
