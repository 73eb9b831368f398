package forward

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"aspectop/broadcast"
	"aspectop/model"
)

const (
	maxTries = 8                // of a message, then it is given up
	maxTime  = 15 * time.Minute // from the start of the first try to that of the last
	maxWait  = 5 * time.Minute  // that a handler may ask for by Retry-After
)

// pauses are those after each failed try: short ones for a handler that is being
// restarted, then long ones for one that is being mended. With a time-out at each try
// they take less than maxTime.
var pauses = [maxTries - 1]time.Duration{
	1 * time.Second, 4 * time.Second, 15 * time.Second, 45 * time.Second,
	105 * time.Second, 4 * time.Minute, 5 * time.Minute,
}

// RetryPolicy describes, for help and documentation, how a message is retried.
const RetryPolicy = "8 attempts in 12 minutes, after 1s, 4s, 15s, 45s, 1m45s, 4m and 5m"

// pause returns how long to wait after that many tries, the first of which began
// since ago; ok is false if it is time to give up. asked is the Retry-After or 0.
func pause(tries int, since, asked time.Duration) (wait time.Duration, ok bool) {
	left := maxTime - since
	if tries >= maxTries || left <= 0 {
		return 0, false
	}
	return min(cmp.Or(min(asked, maxWait), pauses[tries-1]), left), true
}

// ask is a message that is to be posted now, and its partition.
type ask struct {
	seq int64
	key string
}

// Retry posts a message again, now and ahead of others of its task, whatever became
// of it before, with all tries anew. The request is not stored: it is lost if this
// process ends first. Retry may be called by any goroutine.
func (f *Forwarder) Retry(ctx context.Context, seq int64) error {
	a, err := f.options.Feed.Row(ctx, seq)
	if err != nil {
		return err
	}
	if a.Source == model.SourceAPI {
		return fmt.Errorf("delivery %d was read from Aspect's API, so it is not forwarded", seq)
	}
	f.mu.Lock()
	f.asked = append(f.asked, ask{a.Message, partitionOf(&a)})
	f.mu.Unlock()
	broadcast.Nudge(f.kick)
	return nil
}

// takeAsked moves the messages that Retry was called for to the front.
func (r *run) takeAsked(now time.Time) {
	r.mu.Lock()
	asked := r.asked
	r.asked = nil
	r.mu.Unlock()
	for _, a := range asked {
		if a.seq <= r.read { // else its turn is still to come
			r.parts.putFirst(a.key, a.seq, now)
		}
	}
}
