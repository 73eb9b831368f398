package forward

import (
	"net/http"

	"aspectop/feed"
)

// Target is one of the user's handlers, and what requests to it carry.
type Target struct {
	// URL is its address, as [ParseURL] takes it. The queue is kept by it.
	URL  string
	Name string // for display, "" for none
	// Headers are added to each request, in place of those that were received.
	Headers http.Header
	// Insecure accepts any certificate.
	Insecure bool
	// Filter decides whether the handler gets an arrival, when it is read for it; nil
	// takes all. What is left out is not forwarded later.
	Filter func(*feed.Arrival) bool
}
