// Package receiver is the HTTP server that Svix posts to. It limits what a
// stranger can cost, verifies the raw bytes of a delivery, hands what is
// genuine to a journal, and acknowledges it only once the journal has it on
// disk.
//
// It does not read events, draw, forward or open tunnels, and it does not know
// how a journal keeps what it is given: see [Appender].
package receiver
