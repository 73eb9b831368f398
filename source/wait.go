package source

import (
	"context"
	"math/rand/v2"
	"time"
)

// jittered is d, up to ten percent more or less, so that many programs that
// started together do not stay together.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// grow is the wait after the nth failure in a row: base, doubled each time, at
// most limit.
func grow(base, limit time.Duration, n int) time.Duration {
	for range n - 1 {
		if base *= 2; base >= limit {
			return limit
		}
	}
	return min(base, limit)
}

// sleep waits, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
