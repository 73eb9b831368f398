package model

import "time"

// Forward is what became of one delivery at one of the user's own handlers: the
// newest try, and how many there were.
type Forward struct {
	Seq int64
	// To is the handler's URL without its credentials.
	To string

	At      time.Time     // when this try began, UTC
	Status  int           // of the answer; 0 if there was none
	Latency time.Duration // until the answer's headers, or until the failure
	Tries   int           // so far, this one included

	// Resigned says that the handler got another stamp and signature than Svix
	// had sent.
	Resigned bool
	// Final says that there will be no further try, unless somebody asks for one.
	Final bool
	// GaveUp says that it is final because tries or time ran out.
	GaveUp bool

	// Error says why the handler does not have it, "" if it has: the status was
	// 2xx.
	Error string
	// Hint is a sentence about what to look at, "" if there is nothing to say.
	Hint string
	// Body is the start of the answer's body, at most 64 KiB. In the
	// [StatusLog] it is nil; the journal has it.
	Body []byte
}

// Delivered reports whether the handler took it.
func (f *Forward) Delivered() bool { return f.Error == "" }
