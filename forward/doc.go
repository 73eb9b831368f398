// Package forward posts kept deliveries to the user's own handler as they
// arrive ([Forwarder]), posts old ones again ([Replay]), and runs a command for
// each task that ends ([Exec]).
//
// What the handler gets is what Svix sent: the same bytes under the same
// svix-id, with a new stamp and signature only where the old ones would be
// refused. The queue is the journal; nothing here stands between a delivery and
// its acknowledgement to Svix.
//
// The package verifies nothing and draws nothing: it trusts the journal to hold
// verified deliveries, and tells what it does by the journal and the status
// log.
package forward
