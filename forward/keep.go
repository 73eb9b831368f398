package forward

import (
	"time"

	"aspectop/model"
)

// tell counts the outcome, tells it to the status log and puts it aside to be
// kept.
func (r *run) tell(f model.Forward) {
	switch {
	case f.Delivered():
		r.tally.Delivered++
	case f.GaveUp:
		r.tally.GaveUp++
	case f.Final:
		r.tally.Failed++
	}
	r.unkept = append(r.unkept, f)
	if r.options.Status != nil {
		f.Body = nil
		r.options.Status.Add(model.Status{At: f.At, Forward: &f})
	}
}

// keep puts outcomes and the cursor into the journal.
func (r *run) keep() error {
	cursor := r.read
	if least, ok := r.open.least(); ok {
		cursor = least - 1
	}
	// A cursor alone can wait while there is more to read.
	if len(r.unkept) == 0 && (cursor == r.kept || r.more && cursor < r.kept+1000) {
		return nil
	}
	if err := r.options.Outcomes.SaveForwards(r.target.key, r.target.shown, cursor, r.unkept); err != nil {
		return err
	}
	clear(r.unkept) // for the bodies
	r.unkept, r.kept = r.unkept[:0], cursor
	return nil
}

// complain tells of trouble with the journal, once until it is over, and has it
// left alone for a while.
func (r *run) complain(now time.Time, err error) {
	r.blocked = now.Add(patience)
	r.more = true // the read that failed has to be made up for
	if text := "forwarding waits: " + err.Error(); text != r.trouble {
		r.trouble = text
		if r.options.Status != nil {
			r.options.Status.Add(model.Status{At: now.UTC(), Notice: text})
		}
	}
}

// show makes the state of the queue known.
func (r *run) show() {
	q := r.tally
	q.To = r.target.shown
	q.InFlight = r.flying
	q.Retrying = len(r.lanes.later) + len(r.lanes.again)
	q.Waiting = r.lanes.items - q.InFlight - q.Retrying
	q.More = r.more
	switch {
	case len(r.lanes.again) > 0:
		q.NextTry = time.Now()
	case len(r.lanes.later) > 0:
		q.NextTry = r.lanes.later[0].items[0].next
	}
	r.mu.Lock()
	r.queue = q
	r.mu.Unlock()
}
