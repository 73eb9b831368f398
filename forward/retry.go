package forward

import (
	"cmp"
	"context"
	"fmt"
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

// pauses are those after each failed try: short ones first, for a handler that
// fails now and then or is just being restarted, then long ones, for one that is
// being mended. With a time-out at each try they take less than maxTime.
var pauses = [maxTries - 1]time.Duration{
	1 * time.Second, 4 * time.Second, 15 * time.Second, 45 * time.Second,
	105 * time.Second, 4 * time.Minute, 5 * time.Minute,
}

// RetryPolicy says in words, for help and documents, what is done about a message
// that a handler does not take.
const RetryPolicy = "8 tries in 12 minutes, after 1s, 4s, 15s, 45s, 1m45s, 4m and 5m"

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

// ask is a message to be tried now, and its lane.
type ask struct {
	seq int64
	key string
}

// Retry has the message tried again now, whatever became of it before and
// however long it was to wait, with 8 tries anew. It is the next of its task.
// The request is not kept: if this process ends before it is done, it is
// forgotten. It may be called at any time, by any number of goroutines.
func (f *Forwarder) Retry(ctx context.Context, seq int64) error {
	d, err := f.options.Journal.Get(ctx, seq)
	if err != nil {
		return err
	}
	if d.Repeat() {
		if d, err = f.options.Journal.Get(ctx, d.Message); err != nil {
			return err
		}
	}
	if !forwarded(&d) {
		return fmt.Errorf("delivery %d was not sent by Svix (its source is %s), so it is not forwarded", seq, d.Source)
	}
	f.mu.Lock()
	f.asked = append(f.asked, ask{d.Seq, laneOf(&d)})
	f.mu.Unlock()
	select {
	case f.kick <- struct{}{}:
	default:
	}
	return nil
}

// takeAsked brings forward what Retry was called for.
func (r *run) takeAsked(now time.Time) {
	r.mu.Lock()
	asked := r.asked
	r.asked = nil
	r.mu.Unlock()
	for _, a := range asked {
		if a.seq <= r.read { // else its turn is still to come
			r.lanes.now(a.key, a.seq, now)
		}
	}
}
