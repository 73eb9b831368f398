package view

import (
	"time"

	"aspectop/feed"
	"aspectop/ui/screen"
)

// grace is how old a message has to be before it is missed: it may be under way.
const grace = 10 * time.Second

// here says what became of one of Aspect's messages in this place.
type here struct {
	is  hereIs
	row feed.RowKey // of the delivery or the refusal
	at  time.Time   // when that came
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
func join(sc *screen.Screen, messages []screen.SentMessage) []here {
	refused := map[string]*feed.Note{}
	notes := sc.Feed.Notes()
	for i := range notes {
		if n := &notes[i]; n.Rejected != nil && n.Rejected.ID != "" {
			refused[n.Rejected.ID] = n
		}
	}
	// A receiver knows of what was sent since it was started; the journal knows
	// of what was sent since it began.
	since := sc.Feed.ReceivedSince()
	if started := sc.Feed.Started(); sc.Receiver != "" && (since.IsZero() || started.Before(since)) {
		since = started
	}
	joined := make([]here, len(messages))
	for i := range messages {
		msg, h := &messages[i], &joined[i]
		switch seq, at, arrived := sc.Feed.Received(msg.ID); {
		case arrived:
			*h = here{hereArrived, feed.RowKey{Seq: seq}, at}
		case refused[msg.ID] != nil:
			*h = here{hereRefused, refused[msg.ID].Key, refused[msg.ID].At}
		case sc.Loading():
			h.is = hereReading
		case since.IsZero() || !msg.Time.After(since):
			h.is = hereNotKept
		case sc.At.Sub(msg.Time) < grace:
			h.is = hereComing
		default:
			h.is = hereMissing
		}
	}
	return joined
}
