package forward

import (
	"slices"
	"time"

	"aspectop/model"
)

// publish counts an outcome, reports it and queues it for storing.
func (r *run) publish(f model.Forward) {
	switch {
	case f.Delivered():
		r.tally.Delivered++
	case f.GaveUp:
		r.tally.GaveUp++
	case f.Final:
		r.tally.Failed++
	}
	r.report(f)
	if !f.Final && !r.open.open[f.Seq] {
		f.Final, f.GaveUp = true, true // by Retry, which no other process goes on with
	}
	r.unkept = append(r.unkept, f)
}

// keep stores the queued outcomes and the cursor in the journal.
func (r *run) keep() error {
	cursor := r.open.settledUpTo(r.read)
	// The cursor alone is not worth a transaction while there is more to read.
	if len(r.unkept) == 0 && (cursor == r.kept || r.more && cursor < r.kept+1000) {
		return nil
	}
	r.saving.Lock()
	defer r.saving.Unlock()
	if err := r.options.Outcomes.SaveForwards(r.target.key, r.target.shown, cursor, r.unkept); err != nil {
		return err
	}
	r.trouble[keeping] = ""
	clear(r.unkept) // for the bodies
	r.unkept, r.kept = r.unkept[:0], cursor
	return nil
}

// A use is what a run needs the journal for. That one works says nothing of another:
// what was just committed is read from memory, and still cannot be kept.
type use int

const (
	reading use = iota
	posting     // reading a delivery to post it
	keeping
	uses
)

// complain reports that the journal failed, once until that use of it works again, and
// blocks its use for retryTime.
func (r *run) complain(now time.Time, u use, err error) {
	r.blocked = now.Add(retryTime)
	r.more = true // what could not be read is read later
	text := "forwarding waits: " + err.Error()
	if !slices.Contains(r.trouble[:], text) {
		r.options.Status.Notice(text)
	}
	r.trouble[u] = text
}

func (r *run) show() {
	q := r.tally
	q.To, q.Name = r.target.shown, r.options.Name
	q.InFlight = r.flying
	q.Retrying = len(r.parts.later)
	q.Waiting = r.parts.items - q.InFlight - q.Retrying
	q.More = r.more
	if q.Retrying > 0 {
		q.NextTry = r.parts.later.next()
	}
	r.mu.Lock()
	r.queue = q
	r.mu.Unlock()
}

// window holds the numbers of messages that were read from the journal and are
// not settled. They are added in ascending order.
type window struct {
	open  map[int64]bool
	order []int64 // the open ones in order, with some that were settled since
}

func newWindow() window { return window{open: make(map[int64]bool)} }

func (w *window) add(seq int64) {
	w.open[seq] = true
	w.order = append(w.order, seq)
}

// settle removes a number. Numbers that are not in the window are ignored.
func (w *window) settle(seq int64) {
	delete(w.open, seq)
	if len(w.order) > 2*len(w.open)+64 {
		w.order = slices.DeleteFunc(w.order, func(seq int64) bool { return !w.open[seq] })
	}
}

func (w *window) len() int { return len(w.open) }

// settledUpTo is the number up to which all are settled, of those that were read.
func (w *window) settledUpTo(read int64) int64 {
	for len(w.order) > 0 && !w.open[w.order[0]] {
		w.order = w.order[1:]
	}
	if len(w.order) == 0 {
		return read
	}
	return w.order[0] - 1
}
