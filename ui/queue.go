package ui

import "time"

// Queue is how the forwarding to one of the user's handlers does.
type Queue struct {
	To string // the handler's URL without credentials

	Waiting  int // for their first try
	InFlight int
	Retrying int       // tried in vain, and to be tried again
	NextTry  time.Time // the earliest of those; zero if there are none
	More     bool      // there are further messages that were not looked at yet

	// What became of messages in this run.
	Delivered, Failed, GaveUp int
}
