package forward

import (
	"container/heap"
	"time"
)

// lane is the queue of one task at one target: its messages go to the handler
// one after the other. A message without a task is a lane of its own.
type lane struct {
	key   string
	items []item // the first is in flight, or next
	place place
	index int       // in lanes.later
	down  time.Time // when nobody listened at the last try; zero if somebody did
}

// item is a message in its lane. The journal has the rest of it.
type item struct {
	seq   int64
	tries int
	first time.Time // when it was tried for the first time
	next  time.Time // when it may be tried again
}

// place is where a lane waits for its turn.
type place uint8

const (
	nowhere  place = iota // not in any list yet
	inFresh               // its first message was never tried
	inAgain               // its first message is to be tried again now
	inLater               // its first message is to be tried again later
	inFlight              // its first message is on its way
)

// lanes are all lanes with something in them, by what they wait for.
type lanes struct {
	byKey        map[string]*lane
	fresh, again []*lane // in the order in which they became ready
	later        later   // by the time of the next try
	items        int
	down         int // lanes that are down
}

func newLanes() lanes { return lanes{byKey: make(map[string]*lane)} }

// add puts a message at the end of its lane.
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

// put lets the lane wait where its first message belongs, unless it is waiting
// or in flight already. An empty lane is forgotten.
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

// ripen makes the lanes ready whose time has come.
func (s *lanes) ripen(now time.Time) {
	for len(s.later) > 0 && !s.later[0].items[0].next.After(now) {
		l := heap.Pop(&s.later).(*lane)
		l.place = nowhere
		s.put(l, now)
	}
}

// note says of a lane when nobody listened at its last try; zero if somebody
// did.
func (s *lanes) note(l *lane, down time.Time) {
	if !l.down.IsZero() {
		s.down--
	}
	if l.down = down; !down.IsZero() {
		s.down++
	}
}

// hurry lets all lanes that wait because nobody listened wait no longer than
// after a first try.
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

// now makes the message the next of its lane and free to be tried afresh. What
// is in flight is left alone.
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
