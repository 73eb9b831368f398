package forward

import (
	"container/heap"
	"time"
)

// lane is the queue of one task, whose messages are posted one at a time. A
// message without a task has a lane of its own.
type lane struct {
	key   string
	items []item // the first is in flight or next
	place place
	index int       // in lanes.later
	down  time.Time // when the last attempt found nobody listening; else zero
}

// item is a message in its lane. The journal has the rest of it.
type item struct {
	seq   int64
	tries int
	first time.Time // of the first attempt
	next  time.Time // not to be tried before
}

// place says in which list a lane waits.
type place uint8

const (
	nowhere  place = iota // in none
	inFresh               // its first message was not tried yet
	inAgain               // its first message is due for a retry
	inLater               // its first message waits for a retry
	inFlight              // its first message is in flight
)

// lanes holds all lanes that are not empty, by what they wait for.
type lanes struct {
	byKey        map[string]*lane
	fresh, again []*lane // in the order in which they became ready
	later        later   // by the time of the next try
	items        int
	down         int // lanes that are down
}

func newLanes() lanes { return lanes{byKey: make(map[string]*lane)} }

// add appends a message to its lane.
func (s *lanes) add(key string, seq int64, now time.Time) {
	l := s.lane(key)
	l.items = append(l.items, item{seq: seq})
	s.items++
	s.put(l, now)
}

func (s *lanes) lane(key string) *lane {
	l := s.byKey[key]
	if l == nil {
		l = &lane{key: key}
		s.byKey[key] = l
	}
	return l
}

// put files a lane that is in no list under what its first message waits for. An
// empty lane is dropped.
func (s *lanes) put(l *lane, now time.Time) {
	switch {
	case l.place != nowhere:
	case len(l.items) == 0:
		delete(s.byKey, l.key)
	case l.items[0].next.After(now):
		l.place = inLater
		heap.Push(&s.later, l)
	case l.items[0].tries > 0:
		l.place = inAgain
		s.again = append(s.again, l)
	default:
		l.place = inFresh
		s.fresh = append(s.fresh, l)
	}
}

// ripen moves the lanes whose retry is due.
func (s *lanes) ripen(now time.Time) {
	for len(s.later) > 0 && !s.later[0].items[0].next.After(now) {
		l := heap.Pop(&s.later).(*lane)
		l.place = nowhere
		s.put(l, now)
	}
}

// note records when the last attempt of a lane found nobody listening; zero if
// somebody was.
func (s *lanes) note(l *lane, down time.Time) {
	if !l.down.IsZero() {
		s.down--
	}
	if l.down = down; !down.IsZero() {
		s.down++
	}
}

// hurry shortens the wait of all lanes for which nobody was listening to that
// after a first attempt: the handler is back.
func (s *lanes) hurry(now time.Time) {
	if s.down == 0 {
		return
	}
	waiting := s.later
	s.later = nil
	for _, l := range waiting {
		if !l.down.IsZero() {
			l.items[0].next = l.down.Add(pauses[0])
			s.note(l, time.Time{})
		}
		l.place = nowhere
		s.put(l, now)
	}
}

// now moves a message to the front of its lane, with no attempts counted. A
// message in flight stays ahead of it.
func (s *lanes) now(key string, seq int64, now time.Time) {
	l := s.lane(key)
	at := 0
	for at < len(l.items) && l.items[at].seq != seq {
		at++
	}
	front := 0
	if l.place == inFlight {
		if at == 0 {
			return
		}
		front = 1
	}
	if at == len(l.items) {
		l.items = append(l.items, item{})
		s.items++
	}
	copy(l.items[front+1:at+1], l.items[front:at])
	l.items[front] = item{seq: seq}
	if l.place == inLater {
		heap.Remove(&s.later, l.index)
		l.place = nowhere
	}
	s.put(l, now)
}

// take returns the next lane of the list and marks it in flight, or nil.
func take(list *[]*lane) *lane {
	if len(*list) == 0 {
		return nil
	}
	l := (*list)[0]
	(*list)[0] = nil
	*list = (*list)[1:]
	l.place = inFlight
	return l
}

// later is a heap of lanes by the time of their next try.
type later []*lane

func (h later) Len() int           { return len(h) }
func (h later) Less(i, j int) bool { return h[i].items[0].next.Before(h[j].items[0].next) }
func (h later) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *later) Push(x any) {
	l := x.(*lane)
	l.index = len(*h)
	*h = append(*h, l)
}
func (h *later) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
