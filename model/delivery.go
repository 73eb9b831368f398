package model

import "time"

// Source says by which way a delivery came in.
type Source string

const (
	SourceWebhook Source = "webhook" // a POST signed by Svix
	SourceAPI     Source = "api"     // a snapshot read from Aspect's REST API
	SourceSSE     Source = "sse"     // the provider's event stream
)

// Delivery is one verified arrival, as the journal keeps it: the raw bytes and
// what was measured about them. Everything else is derived from these by
// [Decode].
//
// Svix delivers at least once: several deliveries may carry one message, told
// by one ID. The first of them is the message; the others are repeats.
type Delivery struct {
	// Seq numbers all arrivals, messages and repeats alike, in the order in
	// which they became durable. It starts at 1, only grows, and is never
	// given twice, not even after old deliveries were removed.
	Seq int64
	// Message is the Seq of the message's first delivery. It equals Seq unless
	// this one is a repeat.
	Message int64
	// Attempt is the number of this arrival of the message, seen here: 1 for
	// the first. Svix's own count may be higher.
	Attempt int
	// Differs marks a repeat whose body is not that of the first delivery.
	Differs bool

	ID       string    // svix-id (or webhook-id), the same over all retries
	Source   Source    // how it came
	Secret   string    // name of the secret that verified it, "" if none was needed
	Received time.Time // on this machine's clock, UTC

	// Header holds all headers of the request with all their values, under
	// their canonical names (the shape of net/http's Header).
	Header map[string][]string
	// Body is the raw body. In a repeat it is nil unless Differs.
	Body []byte

	// Damage says what of the delivery could not be read because somebody or
	// something damaged it in the journal; "" if it is whole. What is missing is
	// zero.
	Damage string
}

// Repeat reports whether the message had arrived before.
func (d *Delivery) Repeat() bool { return d.Message != d.Seq }
