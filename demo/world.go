package demo

import (
	"math"
	"math/rand/v2"
	"time"

	"aspectop/model"
)

// world is a small discrete-event simulation of Aspect. It has no clock; instants are
// relative to the start of the demo, and negative for what happened before. Its output
// is a sequence of posts, one at a time, which may be endless.
type world struct {
	start time.Time
	seed  uint64
	rng   *rand.Rand // ids and latencies
	user  string

	now     time.Duration
	agenda  agenda
	planned int    // entries on the agenda that are not asides
	born    uint64 // number of tasks so far
	newest  *task
	changed []*task       // at the instant now, not yet sent
	posts   []post        // due now
	past    time.Duration // when the next post about the past is due
	mail    mail
	pools   map[string]*pool
}

// post is one attempt to deliver a message.
type post struct {
	due     time.Duration
	lane    *lane // keeps the order; nil: any order
	message Message
}

// lane keeps the posts of one task in order.
type lane struct {
	due   time.Duration // of the last post
	tried chan struct{} // closed by the runner after its first attempt
}

// task is one task of the simulation.
type task struct {
	id, asset string
	rng       *rand.Rand // of this task, so that it does not depend on others
	created   time.Duration
	updated   time.Duration
	features  map[string]model.State

	changed bool // listed in world.changed
	visible bool // one of these changes concerns a visible feature
	lane    lane
	after   func() // called when it is completed; may be nil
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

// stream is a separate random source; the n-th task has stream n+1.
func (w *world) stream(n uint64) *rand.Rand { return rand.New(rand.NewPCG(w.seed, n)) }

// instant is the wall-clock time of an instant of the demo.
func (w *world) instant(at time.Duration) time.Time {
	return w.start.Add(at).UTC()
}

// at schedules an action. Actions at the same instant run in the order they were added.
func (w *world) at(t time.Duration, do func()) {
	w.planned++
	w.agenda.put(t, false, do)
}

// aside is like at for minor actions: when only these are left, the world ends.
func (w *world) aside(t time.Duration, do func()) { w.agenda.put(t, true, do) }

// next returns the next post in the order of time, and false if there is none.
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
	if p.due < w.past { // it happened before the start, and is sent at once
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

// set changes a feature now. Changes at the same instant are sent in one event.
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

// tell posts an event about the task, updated at the instant at.
func (w *world) tell(t *task, kind string, at time.Duration) {
	t.updated = max(at, t.updated+time.Microsecond)
	w.send(t, Message{
		ID:   messageID(w.rng, w.instant(t.updated)),
		Body: w.body(t, kind, t.features, t.updated),
	})
}
