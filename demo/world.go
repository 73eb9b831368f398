package demo

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
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
	queue   queue
	planned int    // entries of the queue that are not in the background
	born    uint64 // number of tasks so far
	newest  *task
	changed []*task       // at the instant now, not yet sent
	posts   []post        // due now
	past    time.Duration // when the next post about the past is due
	faults  faults
	pools   map[string]*pool
}

type post struct {
	due      time.Duration
	sequence *sequence // keeps the order; nil: any order
	message  Message
}

// sequence keeps the posts of one task in order.
type sequence struct {
	due   time.Duration // of the last post
	tried chan struct{} // closed by the runner after its first attempt
}

type task struct {
	id, asset string
	rng       *rand.Rand // of this task, so that it does not depend on others
	created   time.Duration
	updated   time.Duration
	features  map[string]model.State

	changed  bool // listed in world.changed
	visible  bool // one of these changes concerns a visible feature
	sequence sequence
	after    func() // called when it is completed; may be nil
}

func (t *task) waits() bool {
	return slices.Contains(slices.Collect(maps.Values(t.features)), model.Queued)
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
func (w *world) instant(at time.Duration) time.Time { return w.start.Add(at).UTC() }

func (w *world) at(t time.Duration, do func()) {
	w.planned++
	w.queue.add(t, false, do)
}

// background is at for actions that do not keep the world running.
func (w *world) background(t time.Duration, do func()) { w.queue.add(t, true, do) }

// next returns the next post in the order of time, and false if there is none.
func (w *world) next() (post, bool) {
	for len(w.posts) == 0 {
		if len(w.changed) > 0 && w.queue.first() > w.now {
			w.publishChanges()
			continue
		}
		if w.planned == 0 {
			return post{}, false
		}
		e := w.queue.take()
		if !e.background {
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
		rng: w.stream(w.born + 1), created: w.now, updated: w.now,
		features: map[string]model.State{}, sequence: sequence{due: w.now},
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

func (w *world) publishChanges() {
	for _, t := range w.changed {
		kind := typeProgress
		if t.visible {
			kind = eventType(t.features)
		}
		t.changed, t.visible = false, false
		w.publish(t, kind, w.now+millis(t.rng, 1, 180))
	}
	w.changed = w.changed[:0]
}

// publish posts an event about the task, updated at the instant at.
func (w *world) publish(t *task, kind string, at time.Duration) {
	t.updated = max(at, t.updated+time.Microsecond)
	w.send(t, Message{
		ID:   messageID(w.rng, w.instant(t.updated)),
		Body: w.body(t, kind, t.features, t.updated),
	})
}

// queue holds future actions in the order of time, those at the same instant in the order
// they were added.
type queue []entry

type entry struct {
	at         time.Duration
	background bool
	do         func()
}

func (q *queue) add(t time.Duration, background bool, do func()) {
	i := sort.Search(len(*q), func(i int) bool { return (*q)[i].at > t })
	*q = slices.Insert(*q, i, entry{t, background, do})
}

// first is the instant of the next entry, the far future if there is none.
func (q queue) first() time.Duration {
	if len(q) == 0 {
		return math.MaxInt64
	}
	return q[0].at
}

// take removes the next entry. There must be one.
func (q *queue) take() entry {
	e := (*q)[0]
	(*q)[0] = entry{}
	*q = (*q)[1:]
	return e
}
