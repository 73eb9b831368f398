// Package source contains the sources other than webhooks: [Poller] reads tasks from
// Aspect's REST API, to fill gaps or to work with nothing but a key, and [Stream]
// reads the provider's event stream. They append deliveries to the journal like the
// receiver, so the same order applies and everything counts once. [Names] looks up
// the names of assets.
//
// The package draws nothing, opens no port and changes nothing in the account.
package source

import (
	"context"
	"math/rand/v2"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// Appender stores deliveries. After Append returns nil, the delivery is durable and
// its Seq, Message and Attempt are set.
type Appender interface {
	Append(ctx context.Context, d *model.Delivery) error
}

// API are the calls of Aspect's API. The client retries where that makes sense.
type API interface {
	ActiveTasks(ctx context.Context) ([]aspect.Task, error)
	Task(ctx context.Context, id string) (aspect.Task, error)
	Asset(ctx context.Context, id string) (aspect.Asset, error)
}

// jittered is d with ±10 percent of jitter, so that programs that started together
// spread out.
func jittered(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// grow is the pause after the nth failure in a row: base, doubled each time, at most
// limit.
func grow(base, limit time.Duration, n int) time.Duration {
	for range n - 1 {
		if base *= 2; base >= limit {
			return limit
		}
	}
	return min(base, limit)
}
