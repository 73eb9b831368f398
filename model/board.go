// Package model holds what aspectop knows about Aspect: deliveries and their events,
// tasks, features and states, the board that folds events into tasks, filters and
// statistics.
//
// It is pure: no I/O, no clock (the present moment is an argument) and no terminal.
// Apart from [Decode], [News] and [StatusLog], nothing in it may be used by two
// goroutines at once.
package model

import "time"

// Board folds events into tasks. What it shows depends only on the set of messages
// folded, not on their order nor on how often one is folded, so a journal may be
// folded newest first. See [Task] for what each message keeps in memory.
type Board struct {
	tasks []*Task // in the order in which they were first seen
	byID  map[string]int32
	count map[State]int // tasks by their own state

	folded  seqSet
	shapes  shapes // of messages, shared by all tasks
	origins table[origin]
	users   table[string]
	changed []int32
	stats   Stats
	unsure  []int32 // tasks whose intervals are not in stats
}

// NewBoard returns an empty board.
func NewBoard() *Board {
	return &Board{
		byID: map[string]int32{}, count: map[State]int{}, folded: seqSet{}, stats: NewStats(),
		shapes: newShapes(), origins: newTable[origin](), users: newTable[string](),
	}
}

// Fold adds the event to its task and returns that task; nil if it has none, repeats a
// message, or was folded before.
func (b *Board) Fold(e *Event) *Task {
	if e.Task == nil || e.Message != e.Seq || !b.folded.add(e.Seq) {
		return nil
	}
	i, ok := b.byID[e.Task.ID]
	if !ok {
		i = int32(len(b.tasks))
		t := &Task{board: b, index: i, state: Queued, unsure: true}
		b.tasks = append(b.tasks, t)
		b.unsure = append(b.unsure, i)
		t.name(e.Task.ID, e.Task.AssetID)
		b.byID[t.id] = i
		b.count[t.state]++
	}
	t := b.tasks[i]
	if !t.unsure { // the intervals as they are now are taken out; Stats adds the new ones
		b.stats.Remove(t)
		t.unsure = true
		b.unsure = append(b.unsure, i)
	}
	if !t.changed {
		t.changed = true
		b.changed = append(b.changed, i)
	}
	before := t.state
	t.add(e)
	if t.state != before {
		b.count[before]--
		b.count[t.state]++
	}
	return t
}

// Len is the number of tasks. At returns one, in the order in which they were first
// seen.
func (b *Board) Len() int       { return len(b.tasks) }
func (b *Board) At(i int) *Task { return b.tasks[i] }

// Task returns the task with the id, or nil.
func (b *Board) Task(id string) *Task {
	if i, ok := b.byID[id]; ok {
		return b.tasks[i]
	}
	return nil
}

// TaskOf returns the task that an event tells of, or nil; a nil board has none.
func (b *Board) TaskOf(e *Event) *Task {
	if b == nil || e.Task == nil {
		return nil
	}
	return b.Task(e.Task.ID)
}

// Count is the number of tasks whose own state is s.
func (b *Board) Count(s State) int { return b.count[s] }

// TakeChanged calls f for each task that changed since the last call.
func (b *Board) TakeChanged(f func(*Task)) {
	for _, i := range b.changed {
		b.tasks[i].changed = false
		f(b.tasks[i])
	}
	b.changed = b.changed[:0]
}

// Stats are the statistics over all tasks. The board goes on changing them; the
// call costs what changed since the last one.
func (b *Board) Stats() *Stats {
	for _, i := range b.unsure {
		b.tasks[i].unsure = false
		b.stats.Add(b.tasks[i])
	}
	if len(b.unsure) > 0 { // after Settle, any number of goroutines may be here
		b.unsure = b.unsure[:0]
	}
	return &b.stats
}

// Settle computes what is otherwise computed on demand, so that any number of
// goroutines may read the board and its tasks until the next Fold. It costs what
// changed since the last TakeChanged.
func (b *Board) Settle() {
	for _, i := range b.changed {
		b.tasks[i].sort()
	}
	b.Stats().settle()
}

// toNano is t in nanoseconds since 1970, clamped to the years 1678 to 2261. The zero
// time comes before every other.
func toNano(t time.Time) int64 {
	switch {
	case t.IsZero():
		return noTime
	case t.Before(firstNano):
		return noTime + 1
	case t.After(lastNano):
		return lastNano.UnixNano()
	}
	return t.UnixNano()
}

func fromNano(n int64) time.Time {
	if n == noTime {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

const noTime = -1 << 63

var (
	firstNano = time.Unix(0, noTime+1)
	lastNano  = time.Unix(0, 1<<63-1)
)

// seqSet is a set of sequence numbers. Numbers that follow each other cost one
// bit each.
type seqSet map[int64]*[8]uint64

// add reports whether n was not yet in the set.
func (s seqSet) add(n int64) bool {
	chunk := s[n>>9]
	if chunk == nil {
		chunk = new([8]uint64)
		s[n>>9] = chunk
	}
	word, bit := &chunk[n>>6&7], uint64(1)<<(n&63)
	if *word&bit != 0 {
		return false
	}
	*word |= bit
	return true
}
