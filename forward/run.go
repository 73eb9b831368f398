package forward

import (
	"context"
	"errors"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
)

const (
	// maxOpen is how many unsettled messages are held in memory.
	maxOpen = 1 << 16
	// maxRetries limits how many requests in flight may be retries, so that tasks
	// whose messages time out leave room for others.
	maxRetries = maxInFlight / 2
	// batch is how many deliveries are read at once. Each body may have 1 MiB.
	batch = 32
	// maxUnkept is how many outcomes may wait in memory to be stored.
	maxUnkept = 64
	// Drain is how long a Forwarder goes on after it was told to end.
	Drain = 2 * time.Second
	// patience is how long to wait after the journal failed.
	patience = time.Second
)

// run is one call of [Forwarder.Run]. It belongs to one goroutine; each request
// has a goroutine of its own, which sends to results.
type run struct {
	*Forwarder
	lanes   lanes
	open    window
	read    int64 // the last number read from the journal
	more    bool  // there may be more to read
	flying  int   // requests in flight
	retries int   // of those, how many are retries
	results chan result

	unkept  []model.Forward
	kept    int64       // the cursor as stored in the journal
	blocked time.Time   // the journal failed and is left alone until then
	trouble string      // the failure as it was last reported
	tally   model.Queue // its counts since New
}

// result is the outcome of a request for the first message of a lane.
type result struct {
	lane    *lane
	forward model.Forward
	answer  answer
	err     error // of the journal
}

func newRun(f *Forwarder) *run {
	return &run{
		Forwarder: f, lanes: newLanes(), open: newWindow(), more: true,
		read: f.start, kept: f.start, results: make(chan result, maxInFlight),
	}
}

func (r *run) loop(ctx context.Context) error {
	// Requests go on for a while after ctx has ended.
	posting, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	news := r.options.Feed.News(posting)
	ended := ctx.Done()
	var end time.Time // when nothing is waited for any more; zero before the end
	for {
		now := time.Now()
		r.takeAsked(now)
		if now.After(r.blocked) {
			if err := r.turn(posting, now); errors.Is(err, journal.ErrClosed) {
				return err
			} else if err != nil {
				r.complain(now, err)
			}
		}
		r.show()
		if !end.IsZero() && !r.busyUntil(end) {
			return r.finish(stop)
		}
		var reading <-chan struct{} // ready at once, if there is more to read
		if r.more && r.open.len() < maxOpen && now.After(r.blocked) {
			reading = closed
		}
		var over <-chan time.Time
		if !end.IsZero() {
			over = time.After(end.Sub(now))
		}
		select {
		case done := <-r.results:
			r.settle(done)
		case <-reading:
		case <-news:
			r.more = true
		case <-r.kick:
		case <-r.due(now):
		case <-over:
			return r.finish(stop)
		case <-ended:
			if ended = nil; errors.Is(context.Cause(ctx), journal.ErrLeaseLost) {
				return r.finish(stop)
			}
			// What came last goes out too, if the journal can be read in time.
			catching, stop := context.WithTimeout(posting, Drain/2)
			r.options.Feed.CatchUp(catching)
			stop()
			end, r.more = time.Now().Add(Drain), true
		}
	}
}

// closed is always ready.
var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// busyUntil reports whether anything remains to be done before the time: a
// request is in flight or ready, or a retry is due by then.
func (r *run) busyUntil(end time.Time) bool {
	switch {
	case r.flying > 0 || r.more || len(r.lanes.fresh) > 0 || len(r.lanes.again) > 0:
		return true
	case len(r.lanes.later) > 0:
		return r.lanes.later[0].items[0].next.Before(end)
	}
	return false
}

// due fires when there is something to do without news; nil never does.
func (r *run) due(now time.Time) <-chan time.Time {
	var at time.Time
	switch {
	case !now.After(r.blocked):
		at = r.blocked
	case r.canDispatch():
		at = now
	case len(r.lanes.later) > 0:
		at = r.lanes.later[0].items[0].next
	default:
		return nil
	}
	return time.After(at.Sub(now) + time.Millisecond)
}

// turn does everything that needs the journal: it reads on, starts requests and
// stores outcomes.
func (r *run) turn(posting context.Context, now time.Time) error {
	for len(r.results) > 0 {
		r.settle(<-r.results)
	}
	if err := r.fill(posting, now); err != nil {
		return err
	}
	r.lanes.ripen(now)
	r.dispatch(posting)
	if err := r.keep(); err != nil {
		return err
	}
	r.trouble = ""
	return nil
}

// fill reads the next few deliveries into their lanes.
func (r *run) fill(ctx context.Context, now time.Time) error {
	if !r.more || r.open.len() >= maxOpen {
		return nil
	}
	found, err := r.options.Feed.Read(ctx, r.read, batch)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		r.more = false
		return nil
	}
	settled, err := r.settledAmong(ctx, found)
	if err != nil {
		return err
	}
	for _, a := range found {
		r.read = a.Seq
		if forwarded(a) && !settled[a.Seq] {
			r.open.add(a.Seq)
			r.lanes.add(laneOf(a), a.Seq, now)
		}
	}
	return nil
}

// settledAmong returns which of the deliveries an earlier run has settled.
func (r *run) settledAmong(ctx context.Context, found []*feed.Arrival) (map[int64]bool, error) {
	last := min(found[len(found)-1].Seq, r.end)
	if r.read >= last {
		return nil, nil
	}
	numbers, err := r.options.Journal.SettledForwards(ctx, r.target.key, r.read, last)
	settled := make(map[int64]bool, len(numbers))
	for _, seq := range numbers {
		settled[seq] = true
	}
	return settled, err
}

// canDispatch reports whether dispatch would start a request.
func (r *run) canDispatch() bool {
	return r.flying < maxInFlight && len(r.unkept) < maxUnkept &&
		(len(r.lanes.fresh) > 0 || len(r.lanes.again) > 0 && r.retries < maxRetries)
}

// dispatch starts requests while there is room, retries first.
func (r *run) dispatch(ctx context.Context) {
	for r.canDispatch() {
		var l *lane
		if r.retries < maxRetries {
			l = take(&r.lanes.again)
		}
		if l == nil {
			l = take(&r.lanes.fresh)
		}
		r.flying++
		if l.items[0].tries > 0 {
			r.retries++
		}
		seq := l.items[0].seq
		go func() {
			forward, answer, err := r.attempt(ctx, seq)
			r.results <- result{l, forward, answer, err}
		}()
	}
}

// settle records the outcome of a request and lets its lane proceed.
func (r *run) settle(done result) {
	l, now := done.lane, time.Now()
	head := &l.items[0]
	r.flying--
	if head.tries > 0 {
		r.retries--
	}
	l.place = nowhere
	defer r.lanes.put(l, now)
	if errors.Is(done.answer.err, errDrained) || errors.Is(done.err, context.Canceled) {
		return
	}
	f := done.forward
	switch {
	case errors.Is(done.err, journal.ErrNotFound), errors.Is(done.err, journal.ErrDamaged):
		why := "it was removed from the journal before it could be forwarded (--retain)"
		if errors.Is(done.err, journal.ErrDamaged) {
			why = "it cannot be read: the journal is damaged (aspectop journal check)"
		}
		f = model.Forward{Seq: head.seq, To: r.target.shown, At: now.UTC(), Final: true, Error: why}
	case done.err != nil:
		head.next = now.Add(patience)
		r.complain(now, done.err)
		return
	}
	if head.tries++; head.tries == 1 {
		head.first = f.At
	}
	f.Tries = head.tries
	if !f.Final {
		wait, ok := pause(head.tries, now.Sub(head.first), done.answer.retryAfter())
		f.Final, f.GaveUp = !ok, !ok
		head.next = now.Add(wait)
	}
	var down time.Time
	if done.answer.refused() {
		down = now
	}
	r.lanes.note(l, down)
	r.tell(f)
	if f.Final {
		r.open.settle(head.seq)
		l.items = l.items[1:]
		r.lanes.items--
	}
	if f.Status != 0 {
		r.lanes.hurry(now)
	}
}

// finish cancels the requests that are still in flight and stores all outcomes.
func (r *run) finish(stop context.CancelCauseFunc) error {
	stop(errDrained)
	for r.flying > 0 {
		r.settle(<-r.results)
	}
	r.show()
	return r.keep()
}

var errDrained = errors.New("aspectop ended before the handler answered")
