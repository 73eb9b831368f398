package demo

import "time"

// mail brings messages to the receiver with the troubles that real delivery has.
type mail struct {
	troubles []func(p post, kind string) bool
	held     map[*task]*held
}

// held is a message that is kept back until a newer one of its task has gone.
type held struct {
	post post
	wait time.Duration // how much longer than the newer one
}

// send plans the delivery of one message that is made now.
func (m *mail) send(w *world, t *task, kind string, msg Message) {
	p := post{lane: &t.lane, message: msg}
	w.dispatch(p, max(t.updated, t.lane.due-latencyLow)+millis(w.rng, 10, 150))
}

const latencyLow = 10 * time.Millisecond

// dispatch hands the post out when it is due.
func (w *world) dispatch(p post, due time.Duration) {
	p.due = due
	if p.lane != nil {
		p.lane.due = max(p.lane.due, due)
	}
	w.at(due, func() { w.posts = append(w.posts, p) })
}
