package forward

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/words"
)

const (
	maxOpen    = 1 << 16         // unsettled messages in memory; docs/json.md names it
	maxRetries = maxInFlight / 2 // in flight, so that tasks that time out leave room for others
	batch      = 32              // deliveries read at once, of up to 1 MiB each
	maxUnkept  = 64              // outcomes in memory
	retryTime  = time.Second     // until a journal that failed is used again
	trustTime  = 5 * time.Second // until a certificate that is not trusted is tried again

	// Drain is how long a Forwarder or an Exec goes on after its context has ended.
	Drain = 2 * time.Second
)

// run is one call of [Forwarder.Run]. It belongs to one goroutine; requests have
// goroutines of their own, which send to results.
type run struct {
	*Forwarder
	parts   partitions
	open    window
	read    int64 // the last number read from the journal
	more    bool  // there may be more to read
	flying  int   // requests in flight
	retries int   // of those, how many are retries
	results chan result

	unkept  []model.Forward
	kept    int64        // the cursor as stored in the journal
	blocked time.Time    // the journal failed and is left alone until then
	trouble [uses]string // by use, the failure as it was last reported
	tally   model.Queue  // its counts since New

	// untrusted is when the handler's certificate is tried again, zero if it is trusted:
	// until then nothing is posted, as that would fail alike.
	untrusted time.Time
}

// result is the outcome of a request for the first message of a partition.
type result struct {
	part    *partition
	forward model.Forward
	answer  Answer
	err     error // of the journal
}

func newRun(f *Forwarder) *run {
	return &run{
		Forwarder: f, parts: newPartitions(), open: newWindow(), more: true,
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
			}
		}
		r.show()
		if !end.IsZero() && !r.busyUntil(end) {
			return r.finish(stop)
		}
		var over <-chan time.Time
		if !end.IsZero() {
			over = time.After(end.Sub(now))
		}
		select {
		case done := <-r.results:
			r.settle(done)
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

// busyUntil reports whether anything remains to be done before the time: a
// request is in flight or ready, or a retry is due by then.
func (r *run) busyUntil(end time.Time) bool {
	if !r.untrusted.IsZero() {
		return r.flying > 0
	}
	return r.flying > 0 || r.more || len(r.parts.fresh) > 0 ||
		len(r.parts.later) > 0 && r.parts.later.next().Before(end)
}

// due fires when there is something to do without news; nil never does.
func (r *run) due(now time.Time) <-chan time.Time {
	var wait time.Duration
	switch {
	case !now.After(r.blocked):
		wait = r.blocked.Sub(now) + time.Millisecond
	case r.more && r.open.len() < maxOpen:
	case r.canDispatch():
		wait = time.Millisecond
	case r.untrusted.After(now) && r.parts.items > 0:
		wait = r.untrusted.Sub(now) + time.Millisecond
	case len(r.parts.later) > 0 && !r.parts.later.due(now): // else it waits for one in flight
		wait = r.parts.later.next().Sub(now) + time.Millisecond
	default:
		return nil
	}
	return time.After(wait)
}

// turn does everything that needs the journal: it reads on, starts requests and
// stores outcomes.
func (r *run) turn(posting context.Context, now time.Time) error {
	for len(r.results) > 0 {
		r.settle(<-r.results)
	}
	if err := r.fill(posting, now); err != nil {
		r.complain(now, reading, err)
		return err
	}
	r.dispatch(posting)
	err := r.keep()
	if err != nil {
		r.complain(now, keeping, err)
	}
	return err
}

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
	r.trouble[reading] = ""
	for _, a := range found {
		r.read = a.Seq
		if r.forwards(a) && !settled[a.Seq] {
			r.open.add(a.Seq)
			r.parts.add(partitionOf(a), a.Seq, now)
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

func (r *run) canDispatch() bool {
	if !r.untrusted.IsZero() && (r.flying > 0 || time.Now().Before(r.untrusted)) {
		return false
	}
	return r.flying < maxInFlight && len(r.unkept) < maxUnkept &&
		(len(r.parts.fresh) > 0 || r.parts.later.due(time.Now()) && r.retries < maxRetries)
}

// dispatch starts requests while there is room, retries first.
func (r *run) dispatch(ctx context.Context) {
	for r.canDispatch() {
		p := r.parts.take(time.Now(), r.retries < maxRetries)
		r.flying++
		if p.items[0].tries > 0 {
			r.retries++
		}
		seq := p.items[0].seq
		go func() {
			forward, answer, err := r.attempt(ctx, seq)
			r.results <- result{p, forward, answer, err}
		}()
	}
}

// settle records the outcome of a request and lets its partition proceed.
func (r *run) settle(done result) {
	p, now := done.part, time.Now()
	head := &p.items[0]
	r.flying--
	if head.tries > 0 {
		r.retries--
	}
	p.place = nowhere
	defer r.parts.put(p, now)
	if errors.Is(done.answer.Err, errDrained) || errors.Is(done.err, context.Canceled) {
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
		head.next = now.Add(retryTime)
		r.complain(now, posting, done.err)
		return
	default:
		r.trouble[posting] = ""
	}
	if done.answer.untrusted() {
		r.distrust(head, f, now)
		return
	}
	r.untrusted = time.Time{}
	if head.tries == 0 {
		head.first = f.At
	}
	head.tries += max(1, done.answer.Posts)
	f.Tries = head.tries
	if !f.Final {
		wait, ok := pause(head.tries, now.Sub(head.first), done.answer.retryAfter())
		f.Final, f.GaveUp = !ok, !ok
		head.next = now.Add(wait)
	}
	var down time.Time
	if done.answer.Refused() {
		down = now
	}
	r.parts.setDown(p, down)
	r.publish(f)
	if f.Final {
		r.open.settle(head.seq)
		p.items = p.items[1:]
		r.parts.items--
	}
	if f.Status != 0 {
		r.parts.retryDown(now)
	}
}

// distrust stops the queue, and says so once. It is no try: nothing is given up.
func (r *run) distrust(head *item, f model.Forward, now time.Time) {
	head.next = now
	if r.untrusted.IsZero() {
		f.Tries = head.tries
		f.Hint += ", or set insecure = true in its [[forward]] in the config file; nothing is posted to it until then, and nothing is given up"
		r.report(f)
		if r.open.open[head.seq] { // else the journal knows how it was given up before
			r.unkept = append(r.unkept, f)
		}
	}
	r.untrusted = now.Add(trustTime)
}

// finish cancels the requests that are still in flight and stores all outcomes.
func (r *run) finish(stop context.CancelCauseFunc) error {
	stop(errDrained)
	for r.flying > 0 {
		r.settle(<-r.results)
	}
	asked := 0 // by Retry, and not done
	for _, p := range r.parts.byKey {
		for _, i := range p.items {
			if !r.open.open[i.seq] {
				asked++
			}
		}
	}
	if r.parts.items -= asked; asked > 0 {
		r.options.Status.Notice(fmt.Sprintf("%s, sent again on request, %s given up: %s has not taken %s", words.Count(asked, "message", "messages"),
			words.Plural(asked, "stays", "stay"), r.target.shown, words.Plural(asked, "it", "them")))
	}
	r.show()
	return r.keep()
}

var errDrained = errors.New("aspectop ended before the handler answered")
