package forward

import (
	"container/heap"
	"slices"
	"time"
)

// partition is the queue of one task, whose messages are posted in order, one at a
// time. A message without a task has a partition of its own.
type partition struct {
	key   string
	items []item // the first is in flight or next
	place place
	down  time.Time // when the last attempt found nothing listening; else zero
}

type item struct {
	seq   int64
	tries int
	first time.Time // of the first attempt
	next  time.Time // not to be tried before
}

// place is the list that a partition is in, by the state of its first message.
type place uint8

const (
	nowhere place = iota // in none
	inFresh              // not tried yet
	inLater              // waits for a retry, or is due for one
	inFlight
)

// partitions holds those that are not empty.
type partitions struct {
	byKey map[string]*partition
	fresh []*partition // in the order in which they became ready
	later later
	items int
	down  int // partitions that are down
}

func newPartitions() partitions { return partitions{byKey: make(map[string]*partition)} }

func (s *partitions) add(key string, seq int64, now time.Time) {
	p := s.get(key)
	p.items = append(p.items, item{seq: seq})
	s.items++
	s.put(p, now)
}

func (s *partitions) get(key string) *partition {
	p := s.byKey[key]
	if p == nil {
		p = &partition{key: key}
		s.byKey[key] = p
	}
	return p
}

// put enters a partition that is in no list into the right one. An empty partition is
// dropped.
func (s *partitions) put(p *partition, now time.Time) {
	switch {
	case p.place != nowhere:
	case len(p.items) == 0:
		delete(s.byKey, p.key)
	case p.items[0].tries > 0, p.items[0].next.After(now):
		p.place = inLater
		heap.Push(&s.later, p)
	default:
		p.place = inFresh
		s.fresh = append(s.fresh, p)
	}
}

// setDown records when the last attempt of a partition found nothing listening; zero if
// something was.
func (s *partitions) setDown(p *partition, down time.Time) {
	if !p.down.IsZero() {
		s.down--
	}
	if p.down = down; !down.IsZero() {
		s.down++
	}
}

// retryDown shortens the wait of all partitions that are down to that after a first
// attempt: the handler is back.
func (s *partitions) retryDown(now time.Time) {
	if s.down == 0 {
		return
	}
	waiting := s.later
	s.later = nil
	for _, p := range waiting {
		if !p.down.IsZero() {
			p.items[0].next = p.down.Add(pauses[0])
			s.setDown(p, time.Time{})
		}
		p.place = nowhere
		s.put(p, now)
	}
}

// putFirst moves a message to the front of its partition, or behind the one in flight,
// with no attempts counted.
func (s *partitions) putFirst(key string, seq int64, now time.Time) {
	p := s.get(key)
	at := slices.IndexFunc(p.items, func(i item) bool { return i.seq == seq })
	front := 0
	if p.place == inFlight {
		if at == 0 {
			return
		}
		front = 1
	}
	if at < 0 {
		s.items++
	} else {
		p.items = slices.Delete(p.items, at, at+1)
	}
	p.items = slices.Insert(p.items, front, item{seq: seq})
	if p.place == inLater {
		heap.Remove(&s.later, slices.Index(s.later, p))
		p.place = nowhere
	}
	s.put(p, now)
}

// take returns the next partition, now in flight: one whose retry is due, if any may be
// retried, or else a fresh one. There must be one.
func (s *partitions) take(now time.Time, retry bool) (p *partition) {
	if retry && s.later.due(now) {
		p = heap.Pop(&s.later).(*partition)
	} else {
		p, s.fresh[0] = s.fresh[0], nil
		s.fresh = s.fresh[1:]
	}
	p.place = inFlight
	return p
}

// later is a heap of partitions by the time of their next try.
type later []*partition

// next is the time of the first try. There must be one.
func (h later) next() time.Time { return h[0].items[0].next }

// due reports whether the first try is to be made now.
func (h later) due(now time.Time) bool { return len(h) > 0 && !h.next().After(now) }

func (h later) Len() int           { return len(h) }
func (h later) Less(i, j int) bool { return h[i].items[0].next.Before(h[j].items[0].next) }
func (h later) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *later) Push(x any)        { *h = append(*h, x.(*partition)) }
func (h *later) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	*h = slices.Delete(*h, last, last+1)
	return p
}
