package demo

import (
	"container/heap"
	"math"
	"time"
)

// agenda is a priority queue of future actions.
type agenda struct {
	entries []entry
	count   int
}

type entry struct {
	at    time.Duration
	n     int // number of the entry, for the order at the same instant
	aside bool
	do    func()
}

// put adds an action. Actions at the same instant run in the order they were added.
func (a *agenda) put(t time.Duration, aside bool, do func()) {
	a.count++
	heap.Push(a, entry{t, a.count, aside, do})
}

// first is the instant of the next entry, the far future if there is none.
func (a *agenda) first() time.Duration {
	if len(a.entries) == 0 {
		return math.MaxInt64
	}
	return a.entries[0].at
}

// take removes the next entry. There must be one.
func (a *agenda) take() entry { return heap.Pop(a).(entry) }

// Methods for container/heap.

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
