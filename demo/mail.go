package demo

import (
	"maps"
	"time"

	"aspectop/model"
)

// mail delivers the messages of the mix with the troubles of real delivery. A wish
// applies to the next suitable message.
type mail struct {
	wishRepeat, wishLate, wishSwap bool

	held      map[*task]held // waiting for a newer message of the task
	forgeries int
}

type held struct {
	message Message
	wait    time.Duration // after the newer one
}

// send schedules the delivery of a message about t.
func (w *world) send(t *task, m Message) {
	due := max(t.updated+w.latency(), t.lane.due+time.Millisecond)
	mail := &w.mail
	if h, ok := mail.held[t]; ok {
		delete(mail.held, t)
		w.post(nil, h.message, due+h.wait)
		w.post(&t.lane, m, due)
		return
	}
	if wait := w.holdBack(t); wait > 0 {
		mail.held[t] = held{m, wait}
		return
	}
	w.post(&t.lane, m, due)
	if mail.wishRepeat {
		// As if the answer had been lost: Svix retries after 5 s.
		mail.wishRepeat = false
		w.post(nil, m, due+millis(w.rng, 4000, 6000))
	}
}

// holdBack is how long after its successor t's current message is delivered; 0 means in
// order. It requires a successor soon: t is young and has a queued feature.
func (w *world) holdBack(t *task) time.Duration {
	young := w.now-t.created < 4*time.Second && t.waits()
	switch mail := &w.mail; {
	case !young:
		return 0
	case mail.wishSwap:
		mail.wishSwap = false
		return millis(w.rng, 60, 250)
	case mail.wishLate:
		mail.wishLate = false
		return seconds(w.rng, 5, 9)
	}
	return 0
}

// post schedules one attempt to deliver a message.
func (w *world) post(l *lane, m Message, due time.Duration) {
	if l != nil {
		l.due = max(l.due, due)
	}
	w.at(due, func() { w.posts = append(w.posts, post{due, l, m}) })
}

// latency is how long a message takes from Aspect to the receiver.
func (w *world) latency() time.Duration { return millis(w.rng, 10, 150) }

// trouble schedules the troubles of real delivery.
func (w *world) trouble() {
	w.mail.held = map[*task]held{}
	w.nowAndThen(millis(w.rng, 1500, 2500), 4*time.Minute, w.ping)
	w.nowAndThen(seconds(w.rng, 5, 10), time.Minute, func() { w.mail.wishRepeat = true })
	w.nowAndThen(seconds(w.rng, 9, 16), 150*time.Second, w.forge)
	w.nowAndThen(seconds(w.rng, 14, 24), 2*time.Minute, func() { w.mail.wishLate = true })
	w.nowAndThen(seconds(w.rng, 28, 40), 2*time.Minute, func() { w.mail.wishSwap = true })
}

// nowAndThen repeats an action about once in a period, as long as there are tasks.
func (w *world) nowAndThen(first, period time.Duration, do func()) {
	w.aside(first, func() {
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
	way := ways[w.mail.forgeries%len(ways)]
	w.mail.forgeries++
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
