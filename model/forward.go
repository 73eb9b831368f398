package model

import "time"

// Forward is what became of one delivery at one of the user's own handlers: the
// newest try, and how many there were.
type Forward struct {
	Seq int64
	To  string // the handler's URL without its credentials

	At      time.Time     // when this try began, UTC
	Status  int           // of the answer; 0 if there was none
	Latency time.Duration // until the answer's headers, or until the failure
	Tries   int           // so far, this one included

	Resigned bool // the handler got another timestamp and signature than Svix had sent
	Final    bool // there will be no further try, unless one is asked for
	GaveUp   bool // it is final because tries or time ran out

	Error string // why the handler does not have it, "" if it has: the status was 2xx
	Hint  string // a sentence about what to look at, "" if there is nothing to say
	// Body is the start of the answer's body, at most 64 KiB. In the [StatusLog] it is
	// nil; the journal has it.
	Body []byte
}

// Delivered reports whether the handler took it.
func (f *Forward) Delivered() bool { return f.Error == "" }
