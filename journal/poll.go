package journal

import (
	"context"
	"time"
)

const (
	// pollSoon is how often a reader asks for commits while they come, and pollLate how
	// often when none has come for calm.
	pollSoon = 50 * time.Millisecond
	pollLate = 200 * time.Millisecond
	calm     = 5 * time.Second
)

// Poll asks changed until it is true or fails; [Reader.Wait] of both stores. It asks
// at once when closed is closed.
func Poll(ctx context.Context, closed <-chan struct{}, changed func(context.Context) (bool, error)) error {
	for start := time.Now(); ; {
		if is, err := changed(ctx); is || err != nil {
			return err
		}
		pause := pollSoon
		if time.Since(start) > calm {
			pause = pollLate
		}
		select {
		case <-time.After(pause):
		case <-closed:
		case <-ctx.Done():
		}
	}
}
