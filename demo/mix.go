package demo

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"aspectop/model"
)

// The composition of the mix: bags from which kinds and extras are drawn. Of nine
// tasks one fails and one has another problem.
var (
	mixKinds  = []kind{video, video, video, clip, clip, clip, interview, audio, audio, image, image}
	mixExtras = []extra{noExtra, noExtra, noExtra, noExtra, noExtra, alongside, afterwards}

	mixFailures = []outcome{fails, fails, failsAgain}
	mixProblems = []outcome{recovers, cancelled, recovers, stalls}
)

const mixCompleting = 7 // of nine

// The first tasks of the mix are fixed: one is far along, one has started, one is new,
// and the next ones show something interesting soon.
var opening = []struct {
	at      time.Duration // only of the first three
	kind    kind
	outcome outcome
	extra   extra
}{
	{-26 * time.Second, interview, completes, noExtra},
	{-7 * time.Second, video, completes, alongside},
	{300 * time.Millisecond, clip, completes, afterwards},
	{kind: video, outcome: stalls},
	{kind: audio, outcome: completes},
	{kind: clip, outcome: recovers},
	{kind: image, outcome: completes},
	{kind: video, outcome: fails},
}

// mix schedules the built-in mix: rate new tasks per minute, total in all (0: endless).
func (w *world) mix(total int, rate float64) {
	w.sizePools(rate)
	w.scheduleFaults()
	chance := w.stream(1 << 63)
	kinds, extras := newBag(mixKinds, chance), newBag(mixExtras, chance)
	completing := newBag([]outcome{completes}, chance)
	outcomes := newBag(append(slices.Repeat([]*bag[outcome]{completing}, mixCompleting),
		newBag(mixFailures, chance), newBag(mixProblems, chance)), chance)
	gap := func() time.Duration {
		minutes := (0.5 + chance.Float64()) / max(rate, 1e-3) // a lower one would overflow
		return time.Duration(minutes * float64(time.Minute))
	}
	n := 0
	var arrive func()
	arrive = func() {
		if n < len(opening) {
			o := opening[n]
			w.upload(o.kind, o.outcome, o.extra)
		} else {
			w.upload(kinds.draw(), outcomes.draw().draw(), extras.draw())
		}
		n++
		switch {
		case n == total:
		case n < 3:
			w.at(opening[n].at, arrive)
		default:
			w.at(w.now+gap(), arrive)
		}
	}
	w.at(opening[0].at, arrive)
}

// bag draws its items in random order and refills when it is empty, which guarantees
// variety.
type bag[T any] struct {
	items  []T
	chance *rand.Rand
	order  []int
}

func newBag[T any](items []T, chance *rand.Rand) *bag[T] {
	return &bag[T]{items: items, chance: chance}
}

func (d *bag[T]) draw() T {
	if len(d.order) == 0 {
		d.order = d.chance.Perm(len(d.items))
	}
	item := d.items[d.order[0]]
	d.order = d.order[1:]
	return item
}

// faults are those of real delivery. The next suitable message is repeated, late, or
// swapped with the one after it.
type faults struct {
	repeat, late, swap bool

	held      map[*task]held // waiting for a newer message of the task
	forgeries int
}

type held struct {
	message Message
	wait    time.Duration // after the newer one
}

func (w *world) send(t *task, m Message) {
	due := max(t.updated+w.latency(), t.sequence.due+time.Millisecond)
	faults := &w.faults
	if h, ok := faults.held[t]; ok {
		delete(faults.held, t)
		w.post(nil, h.message, due+h.wait)
		w.post(&t.sequence, m, due)
		return
	}
	if wait := w.holdBack(t); wait > 0 {
		faults.held[t] = held{m, wait}
		return
	}
	w.post(&t.sequence, m, due)
	if faults.repeat {
		// As if the answer had been lost: Svix retries after 5 s.
		faults.repeat = false
		w.post(nil, m, due+millis(w.rng, 4000, 6000))
	}
}

// holdBack is how long after its successor t's current message is delivered; 0: in order.
// There must be a successor soon: t is young and has a queued feature.
func (w *world) holdBack(t *task) time.Duration {
	switch faults := &w.faults; {
	case w.now-t.created >= 4*time.Second || !t.waits():
	case faults.swap:
		faults.swap = false
		return millis(w.rng, 60, 250)
	case faults.late:
		faults.late = false
		return seconds(w.rng, 5, 9)
	}
	return 0
}

func (w *world) post(l *sequence, m Message, due time.Duration) {
	if l != nil {
		l.due = max(l.due, due)
	}
	w.at(due, func() { w.posts = append(w.posts, post{due, l, m}) })
}

// latency is how long a message takes from Aspect to the receiver.
func (w *world) latency() time.Duration { return millis(w.rng, 10, 150) }

// scheduleFaults schedules pings and the faults of real delivery.
func (w *world) scheduleFaults() {
	w.faults.held = map[*task]held{}
	w.nowAndThen(millis(w.rng, 1500, 2500), 4*time.Minute, w.ping)
	w.nowAndThen(seconds(w.rng, 5, 10), time.Minute, func() { w.faults.repeat = true })
	w.nowAndThen(seconds(w.rng, 9, 16), 150*time.Second, w.forge)
	w.nowAndThen(seconds(w.rng, 14, 24), 2*time.Minute, func() { w.faults.late = true })
	w.nowAndThen(seconds(w.rng, 28, 40), 2*time.Minute, func() { w.faults.swap = true })
}

// nowAndThen repeats an action about once in a period, as long as there are tasks.
func (w *world) nowAndThen(first, period time.Duration, do func()) {
	w.background(first, func() {
		do()
		w.nowAndThen(w.now+period*time.Duration(75+w.rng.IntN(50))/100, period, do)
	})
}

func (w *world) ping() {
	w.post(nil, Message{ID: messageID(w.rng, w.instant(w.now)), Body: pingBody}, w.now+w.latency())
}

// forge posts a forgery: that the newest task is completed.
func (w *world) forge() {
	t := w.newest
	if t == nil {
		return
	}
	ways := []Break{BreakSecret, BreakTimestamp, BreakBody, BreakSignature}
	way := ways[w.faults.forgeries%len(ways)]
	w.faults.forgeries++
	lie := maps.Clone(t.features)
	for name := range lie {
		lie[name] = model.Completed
	}
	w.post(nil, Message{
		ID:    messageID(w.rng, w.instant(w.now)),
		Body:  w.body(t, typeCompleted, lie, w.now),
		Break: way,
	}, w.now+w.latency())
}
