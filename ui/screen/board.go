package screen

import (
	"time"

	"aspectop/feed"
	"aspectop/model"
)

// Board is the board as shown: the feed's, or as it was when the screen was frozen.
type Board struct {
	feed   *feed.Feed
	frozen *moment
}

// moment is what the feed had folded when the screen was frozen.
type moment struct {
	seen     int64 // the newest delivery
	note     feed.RowKey
	tasks    int
	heard    []time.Time // of each task
	states   map[model.State]int
	stats    *model.Stats
	counters feed.Counters
}

// Freeze keeps what is shown as it is now.
func (b *Board) Freeze() {
	board := b.feed.Board()
	m := &moment{
		seen: b.feed.Seen(), tasks: board.Len(), states: map[model.State]int{}, stats: board.Stats().Clone(),
		counters: *b.feed.Counters(), note: feed.RowKey{Seq: b.feed.Seen()},
	}
	for _, s := range model.CountedStates() {
		m.states[s] = board.Count(s)
	}
	m.heard = make([]time.Time, board.Len())
	for i := range m.heard {
		m.heard[i] = board.At(i).Heard()
	}
	if notes := b.feed.Notes(); len(notes) > 0 {
		m.note = notes[len(notes)-1].Key
	}
	b.frozen = m
}

// Thaw goes on.
func (b *Board) Thaw() { b.frozen = nil }

// Waiting is how many deliveries and rejections have come since the freeze.
func (b *Board) Waiting() int64 {
	if b.frozen == nil {
		return 0
	}
	return b.feed.Seen() - b.frozen.seen + int64(b.feed.Counters().Rejected-b.frozen.counters.Rejected)
}

// Counters are those of the run.
func (b *Board) Counters() *feed.Counters {
	if b.frozen != nil {
		return &b.frozen.counters
	}
	return b.feed.Counters()
}

// Len is the number of tasks.
func (b *Board) Len() int {
	if b.frozen != nil {
		return b.frozen.tasks
	}
	return b.feed.Board().Len()
}

// At returns the task at a place in the board.
func (b *Board) At(i int) *model.Task { return b.then(b.feed.Board().At(i)) }

// Task returns the task with the id, or nil.
func (b *Board) Task(id string) *model.Task {
	t := b.feed.Board().Task(id)
	if t == nil || t.Index() >= b.Len() {
		return nil
	}
	return b.then(t)
}

// TaskOf returns the task that an event tells of, or nil.
func (b *Board) TaskOf(e *model.Event) *model.Task {
	if e.Task == nil {
		return nil
	}
	return b.Task(e.Task.ID)
}

func (b *Board) then(t *model.Task) *model.Task {
	if b.frozen == nil {
		return t
	}
	if was := t.AsOf(b.frozen.seen, b.frozen.heard[t.Index()]); was != nil {
		return was
	}
	return t
}

// Count is the number of tasks in a state.
func (b *Board) Count(s model.State) int {
	if b.frozen != nil {
		return b.frozen.states[s]
	}
	return b.feed.Board().Count(s)
}

// Stats are those over all tasks.
func (b *Board) Stats() *model.Stats {
	if b.frozen != nil {
		return b.frozen.stats
	}
	return b.feed.Board().Stats()
}

// Stalled and ETA are those of [model.Board].
func (b *Board) Stalled(t *model.Task, now time.Time) (since time.Time, ok bool) {
	return b.feed.Board().Stalled(t, now)
}

func (b *Board) ETA(t *model.Task, now time.Time) (left time.Duration, ok bool) {
	return b.feed.Board().ETA(t, now)
}

// UsualEnd and UsualEndOf are those of [model.Board].
func (b *Board) UsualEnd(t *model.Task) (end time.Time, ok bool) { return b.feed.Board().UsualEnd(t) }

func (b *Board) UsualEndOf(t *model.Task, f model.Feature) (end time.Time, ok bool) {
	return b.feed.Board().UsualEndOf(t, f)
}
