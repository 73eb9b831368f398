package demo

import (
	"container/heap"
	"math"
	"time"
)

// agenda is what is to happen, as a heap in the order of time.
type agenda struct {
	entries []entry
	count   int
}

type entry struct {
	at    time.Duration
	n     int // entries are numbered in the order in which they were put there
	aside bool
	do    func()
}

// put adds something to do. Among things at the same instant the one put there
// first is done first.
func (a *agenda) put(t time.Duration, aside bool, do func()) {
	a.count++
	heap.Push(a, entry{t, a.count, aside, do})
}

// first is the instant of the next entry, far away if there is none.
func (a *agenda) first() time.Duration {
	if len(a.entries) == 0 {
		return math.MaxInt64
	}
	return a.entries[0].at
}

// take removes the next entry, which there must be.
func (a *agenda) take() entry { return heap.Pop(a).(entry) }

// What container/heap asks for.

func (a *agenda) Len() int { return len(a.entries) }
func (a *agenda) Less(i, j int) bool {
	x, y := &a.entries[i], &a.entries[j]
	return x.at < y.at || x.at == y.at && x.n < y.n
}
func (a *agenda) Swap(i, j int) { a.entries[i], a.entries[j] = a.entries[j], a.entries[i] }
func (a *agenda) Push(e any)    { a.entries = append(a.entries, e.(entry)) }
func (a *agenda) Pop() any {
	e := a.entries[len(a.entries)-1]
	a.entries[len(a.entries)-1] = entry{}
	a.entries = a.entries[:len(a.entries)-1]
	return e
}
