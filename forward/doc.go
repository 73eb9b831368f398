// Package forward posts kept deliveries to the user's own handler as they
// arrive ([Forwarder]), posts old ones again ([Replay], [Resend]), and runs a command
// for each task that ends ([Exec]).
//
// Handlers get what Svix sent: the same bytes under the same svix-id, signed again
// only if the original signature is too old. The journal is the queue, so
// forwarding never delays the acknowledgement of a delivery. The package verifies and
// prints nothing: it reports through the journal and the status log.
package forward
