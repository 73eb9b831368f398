package demo

import (
	"math"
	"math/rand/v2"
	"time"

	"aspectop/model"
)

// world is a small discrete simulation of Aspect: what is to happen stands on
// an agenda and is done in the order of time. It knows no clock; instants are
// counted from the start of the demo and may be negative, for what had happened
// before. Its only result is the sequence of posts, one at a time, so it may go
// on for ever.
type world struct {
	start time.Time
	seed  uint64
	rng   *rand.Rand // ids and latencies
	user  string

	now     time.Duration
	agenda  agenda
	planned int    // entries on the agenda that are no aside
	born    uint64 // how many tasks there were so far
	newest  *task
	changed []*task       // at the instant now, not yet told
	posts   []post        // due now
	past    time.Duration // when the next post about the past goes
	mail    mail
	pools   map[string]*pool
}

// post is one attempt to deliver one message: what the world hands out.
type post struct {
	due     time.Duration
	lane    *lane // where it must not overtake others; nil if it may come in any order
	message Message
}

// lane keeps the posts of one task in order.
type lane struct {
	due   time.Duration // of the last post
	tried chan struct{} // the runner's: closed when that one had its first attempt
}

// task is one task of the simulation.
type task struct {
	id, asset string
	rng       *rand.Rand // of this task alone, so that its life depends on no other
	created   time.Duration
	updated   time.Duration
	features  map[string]model.State

	changed bool // listed in world.changed
	visible bool // one of these changes concerns a feature that people see
	lane    lane
	after   func() // what happens once it is completed, may be nil
}

// waits reports whether one of the features is queued.
func (t *task) waits() bool {
	for _, s := range t.features {
		if s == model.Queued {
			return true
		}
	}
	return false
}

func newWorld(seed int64, start time.Time) *world {
	w := &world{start: start, seed: uint64(seed), now: math.MinInt64}
	w.rng = w.stream(0)
	w.user = uuid(w.rng)
	return w
}

// stream is a source of chance of its own; the n-th task has stream n+1.
func (w *world) stream(n uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, n)) }

// instant is the wall-clock time of an instant of the demo.
func (w *world) instant(at time.Duration) time.Time {
	return w.start.Add(at).UTC()
}

// at puts something on the agenda. Among things at the same instant the one put
// there first is done first.
func (w *world) at(t time.Duration, do func()) {
	w.planned++
	w.agenda.put(t, false, do)
}

// aside is like at for what happens by the way: when nothing else is on the
// agenda, the world ends.
func (w *world) aside(t time.Duration, do func()) { w.agenda.put(t, true, do) }

// next returns the next post in the order of time, and false when there is none.
func (w *world) next() (post, bool) {
	for len(w.posts) == 0 {
		if len(w.changed) > 0 && w.agenda.first() > w.now {
			w.tellChanges()
			continue
		}
		if w.planned == 0 {
			return post{}, false
		}
		e := w.agenda.take()
		if !e.aside {
			w.planned--
		}
		w.now = max(w.now, e.at)
		e.do()
	}
	p := w.posts[0]
	w.posts = w.posts[1:]
	if p.due < w.past { // it had happened before the start, and is told at once
		p.due = w.past
		w.past += 20 * time.Millisecond
	}
	return p, true
}

func (w *world) newTask() *task {
	t := &task{
		rng:      w.stream(w.born + 1),
		created:  w.now,
		features: map[string]model.State{},
		lane:     lane{due: w.now},
		updated:  w.now,
	}
	t.id, t.asset = uuid(t.rng), uuid(t.rng)
	w.born++
	w.newest = t
	return t
}

// set changes a feature now. What changes at one instant is told in one event.
func (w *world) set(t *task, feature string, s model.State) {
	t.features[feature] = s
	t.visible = t.visible || !model.Internal(feature)
	if !t.changed {
		t.changed = true
		w.changed = append(w.changed, t)
	}
}

func (w *world) tellChanges() {
	for _, t := range w.changed {
		kind := typeProgress
		if t.visible {
			kind = eventType(t.features)
		}
		t.changed, t.visible = false, false
		w.tell(t, kind, w.now+millis(t.rng, 1, 180))
	}
	w.changed = w.changed[:0]
}

// tell posts an event about the task as it stands, changed at the instant at.
func (w *world) tell(t *task, kind string, at time.Duration) {
	t.updated = max(at, t.updated+time.Microsecond)
	w.send(t, Message{
		ID:   messageID(w.rng, w.instant(t.updated)),
		Body: w.body(t, kind, t.features, t.updated),
	})
}
