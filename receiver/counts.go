package receiver

import (
	"sync/atomic"

	"aspectop/model"
)

// Counts is what became of the requests to the webhook's path. Each is counted
// exactly once. Requests with other paths or methods, and connections without a
// request, are not counted.
type Counts struct {
	Verified  int64 // kept and acknowledged: first deliveries of a message
	Duplicate int64 // kept and acknowledged: repeats
	Unkept    int64 // answered 503: the journal failed, or too many large bodies came at once
	Rejected  map[model.Reason]int64
}

// reasons are the reasons for rejecting a request.
var reasons = [...]model.Reason{
	model.MissingHeaders, model.Malformed, model.NoMatch, model.TooOld, model.TooNew, model.TooLarge,
}

// tally collects Counts.
type tally struct {
	verified, duplicate, unkept atomic.Int64
	rejected                    [len(reasons)]atomic.Int64
}

func (t *tally) reject(reason model.Reason) {
	for i, r := range reasons {
		if r == reason {
			t.rejected[i].Add(1)
		}
	}
}

func (t *tally) counts() Counts {
	c := Counts{
		Verified:  t.verified.Load(),
		Duplicate: t.duplicate.Load(),
		Unkept:    t.unkept.Load(),
		Rejected:  make(map[model.Reason]int64, len(reasons)),
	}
	for i, r := range reasons {
		c.Rejected[r] = t.rejected[i].Load()
	}
	return c
}
