// Package source holds the ways in beside the webhook receiver: [Poller] reads
// tasks from Aspect's REST API, to fill gaps or to watch with nothing but a key,
// and [Stream] reads the provider's event stream. What they learn enters the
// journal as deliveries, by the same door as what the receiver takes, so that it
// obeys the same order and counts once. [Names] finds out what assets are called.
//
// The package draws nothing, opens no port and changes nothing in the account:
// it only ever asks.
package source

import (
	"context"
	"math/rand/v2"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// Appender keeps deliveries. *journal.Journal is one, and the contract of its
// Append holds: nil means durable, and Seq, Message and Attempt filled in.
type Appender interface {
	Append(ctx context.Context, d *model.Delivery) error
}

// Reader gives the deliveries after a sequence number, in that order, and the
// least and greatest number there is. *journal.Reader is one.
type Reader interface {
	After(ctx context.Context, seq int64, limit int) ([]model.Delivery, error)
	Range(ctx context.Context) (first, last int64, err error)
}

// API are the calls of Aspect's API that are made here. *aspect.Client has them;
// it waits and tries again by itself where that makes sense.
type API interface {
	ActiveTasks(ctx context.Context) ([]aspect.Task, error)
	Task(ctx context.Context, id string) (aspect.Task, error)
	Asset(ctx context.Context, id string) (aspect.Asset, error)
}

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
