package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/forward"
	"aspectop/words"
)

// Options configure [Run]. The zero value is the endless built-in mix.
type Options struct {
	// Seed determines everything: the same seed gives the same tasks with the same ids.
	// A receiver that remembers earlier runs needs a new seed each time.
	Seed     int64
	Tasks    int           // in all, only of the mix; 0: endless
	Rate     float64       // new tasks per minute, only of the mix; at most 60,000; 0: 12
	Duration time.Duration // at most; 0: until done
	Scenario *Scenario     // nil: the mix
}

// inFlight is the maximum number of concurrent requests.
const inFlight = 16

// retries are the pauses between attempts. Svix waits 5 s, then minutes and hours,
// which is too long for a demo.
var retries = []time.Duration{2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second}

// Run plays a scenario to the sender's receiver until everything is delivered, Duration
// has passed or ctx ends. It fails if the receiver cannot be reached, at first or during
// all retries of a message, or if it rejects valid messages at every attempt.
func Run(ctx context.Context, s *Sender, o Options) error {
	if !(o.Rate >= 0 && o.Rate <= 60_000) {
		return fmt.Errorf("invalid rate of %v tasks per minute: must be from 0 (the default) to 60000", o.Rate)
	}
	o.Rate = cmp.Or(o.Rate, 12)
	end := ctx
	if o.Duration > 0 {
		var stop context.CancelFunc
		end, stop = context.WithTimeout(ctx, o.Duration)
		defer stop()
	}
	run, fail := context.WithCancelCause(end)
	defer fail(nil)

	r := &runner{sender: s, fail: fail, slots: make(chan struct{}, inFlight)}
	w := newWorld(o.Seed, time.Now())
	if o.Scenario == nil || o.Scenario.steps == nil {
		w.mix(o.Tasks, o.Rate)
	} else {
		w.sizePools(o.Rate)
		w.play(o.Scenario.steps)
	}
	r.play(run, w)
	r.wait.Wait()
	if t := s.target(); t != nil {
		t.Close()
	}
	switch {
	case ctx.Err() != nil:
		return nil
	case end.Err() == nil && run.Err() != nil:
		return context.Cause(run)
	}
	return r.refusals()
}

// runner delivers the posts of a world when they are due.
type runner struct {
	sender *Sender
	fail   context.CancelCauseFunc
	slots  chan struct{} // one for each request in flight
	wait   sync.WaitGroup

	reached atomic.Bool // there was an answer
	mu      sync.Mutex
	refused int // messages given up
	status  int // of the last rejection
}

func (r *runner) play(ctx context.Context, w *world) {
	for {
		p, ok := w.next()
		if !ok || broadcast.Sleep(ctx, time.Until(w.instant(p.due))) != nil {
			return
		}
		select {
		case r.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		var before, tried chan struct{}
		if p.sequence != nil {
			before, tried = p.sequence.tried, make(chan struct{})
			p.sequence.tried = tried
		}
		r.wait.Go(func() { r.deliver(ctx, p.message, before, tried) })
	}
}

// deliver makes the first attempt when before is closed, closes tried after it, and
// retries like Svix until the message is accepted.
func (r *runner) deliver(ctx context.Context, m Message, before, tried chan struct{}) {
	if before != nil {
		select {
		case <-before:
		case <-ctx.Done():
		}
	}
	status, err := r.post(ctx, m)
	<-r.slots
	if tried != nil {
		close(tried)
	}
	for _, pause := range retries {
		if m.Break != "" || status/100 == 2 || broadcast.Sleep(ctx, pause) != nil {
			return
		}
		status, err = r.post(ctx, m)
	}
	switch {
	case err != nil:
		r.fail(err)
	case status/100 != 2:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.refused++
		r.status = status
	}
}

// post makes one attempt. If the receiver has never been reached, the run fails, unless
// it was only slow to answer.
func (r *runner) post(ctx context.Context, m Message) (status int, err error) {
	status, err = r.sender.Post(ctx, m)
	switch slow := errors.Is(err, forward.ErrTimeout); {
	case err == nil:
		r.reached.Store(true)
	case !slow && !r.reached.Load():
		r.fail(err)
	}
	return status, err
}

func (r *runner) refusals() error {
	if r.refused == 0 {
		return nil
	}
	return fmt.Errorf("%s rejected %s at every attempt, the last with status %d; %s",
		clean.URL(r.sender.URL), words.Count(r.refused, "valid message", "valid messages"), r.status, r.sender.Advice())
}
