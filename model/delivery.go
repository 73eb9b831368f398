package model

import "time"

// Source is where a delivery came from.
type Source string

const (
	SourceWebhook Source = "webhook" // a POST signed by Svix
	SourceAPI     Source = "api"     // a snapshot read from Aspect's REST API
	SourceSSE     Source = "sse"     // the provider's event stream
)

// Delivery is one verified arrival, as the journal keeps it: the raw bytes and what
// was measured about them. [Decode] derives the rest.
//
// Svix delivers at least once: several deliveries may carry one message, with one ID.
// The first of them is the message; the others are repeats.
type Delivery struct {
	// Seq numbers messages and repeats in the order in which they became durable,
	// from 1. A number is never given twice, not even after deliveries were removed.
	Seq     int64
	Message int64 // the Seq of the message's first delivery: another one if this is a repeat
	Attempt int   // the arrivals of the message here, from 1; Svix's own count may be higher
	Differs bool  // a repeat whose body is not that of the first delivery

	ID string // svix-id (or webhook-id), the same over all retries
	// Twin is another id under which the message may have come before: the [StreamID] of a
	// webhook's event_id. It is filled in by who appends, and not kept.
	Twin     string
	Source   Source    // how it came
	Secret   string    // name of the secret that verified it, "" if none was needed
	Received time.Time // on this machine's clock, UTC

	Header map[string][]string // all headers of the request under their canonical names
	Body   []byte              // as it came; nil in a repeat unless Differs

	// Damage says what could not be read, and is zero here, because it was damaged in
	// the journal; "" if nothing.
	Damage string
}

// Repeat reports whether the message had arrived before.
func (d *Delivery) Repeat() bool { return d.Message != d.Seq }
