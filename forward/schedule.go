package forward

import (
	"cmp"
	"time"
)

const (
	// maxTries is how often a message is tried before the forwarder gives up.
	maxTries = 8
	// maxTime is how long it is tried, from the first try to the start of the
	// last.
	maxTime = 15 * time.Minute
	// maxWait is the longest pause that a handler may ask for by Retry-After.
	maxWait = 5 * time.Minute
)

// pauses are those after each failed try. With a time-out at each try they take
// less than maxTime.
var pauses = [maxTries - 1]time.Duration{
	1 * time.Second, 4 * time.Second, 15 * time.Second, 45 * time.Second,
	105 * time.Second, 4 * time.Minute, 5 * time.Minute,
}

// pause is how long to wait after so many tries, the first of which began so
// long ago; ok is false if it is time to give up. asked is what the handler
// asked for, 0 if nothing.
func pause(tries int, since, asked time.Duration) (wait time.Duration, ok bool) {
	left := maxTime - since
	if tries >= maxTries || left <= 0 {
		return 0, false
	}
	return min(cmp.Or(min(asked, maxWait), pauses[tries-1]), left), true
}
