package model

import (
	"slices"
	"time"
)

// Interval is a stay of one feature in one state.
type Interval struct {
	State State
	From  time.Time // when the first message had this state
	// To is when a later message had another one; the zero time if none has.
	To time.Time
}

// Length is how long the stay lasted, or has lasted until now. It is never
// negative: clocks differ.
func (s Interval) Length(now time.Time) time.Duration {
	if !s.To.IsZero() {
		now = s.To
	}
	return max(0, now.Sub(s.From))
}

// Timeline returns the stays of one feature, oldest first: of the messages of each
// instant (data.task.updated) the newest counts; those without one are left out. It
// costs the number of the task's messages.
func (t *Task) Timeline(feature string) []Interval {
	return t.intervals(t.in(feature))
}

// States returns the stays of the task's own state, by the rules of [Task.State], as
// Timeline does those of a feature.
func (t *Task) States() []Interval {
	end := int32(-1)
	return t.intervals(func(i int32) (State, bool) {
		if t.origin(i).rank == rankEnd {
			end = i
		}
		return t.derive(i, end), true
	})
}

func (t *Task) intervals(of func(i int32) (State, bool)) (all []Interval) {
	t.walk(of, false, func(s State, from, to int64) {
		all = append(all, Interval{s, fromNano(from), fromNano(to)})
	})
	return all
}

// in gives the state of a feature in a message, and whether it has one.
func (t *Task) in(feature string) func(i int32) (State, bool) {
	return func(i int32) (State, bool) { return t.shapeOf(i).find(feature) }
}

// Since returns when the feature entered the state it is in, or the zero time
// if no message tells.
func (t *Task) Since(feature string) time.Time {
	since := int64(noTime)
	t.walk(t.in(feature), false, func(_ State, from, _ int64) { since = from })
	return fromNano(since)
}

// walk calls f for each stay in the states that of gives of the messages, oldest first; to is
// noTime in the last one. With phases, unknown states are taken for processing.
func (t *Task) walk(of func(i int32) (s State, ok bool), phases bool, f func(s State, from, to int64)) {
	t.sort()
	var (
		state, raw, last State // of the stay under way, also as it came; of the instant under way
		from, at         int64 = noTime, noTime
	)
	enter := func() { // the instant is over: the last state in it counts
		if at == noTime || from != noTime && last == raw {
			return
		}
		raw = last
		if phases {
			last = last.phase()
		}
		if from != noTime {
			if last == state {
				return
			}
			f(state, from, at)
		}
		state, from = last, at
	}
	for i := range t.marks {
		s, ok := of(int32(i))
		if !ok || t.marks[i].updated == noTime {
			continue
		}
		if t.marks[i].updated != at {
			enter()
			at = t.marks[i].updated
		}
		last = s
	}
	enter()
	if from != noTime {
		f(state, from, noTime)
	}
}

// FeatureChange is what one message changed in one feature. A state is empty where the
// feature was not there, or had no state.
type FeatureChange struct {
	Feature  string
	From, To State
}

// Effect is what one message did to its task when it arrived.
type Effect struct {
	Before   State // the task's own state before; "" if this is its first message
	After    State
	Features []Feature       // after the message; they belong to the board: do not change them
	Updated  time.Time       // the instant they are from
	Late     bool            // the task had a newer message already: nothing changed
	Changes  []FeatureChange // of the features
}

// Ended reports whether the message ended a task that was active or unknown, or
// turned one end into another.
func (e *Effect) Ended() bool { return e.After.Terminal() && e.After != e.Before }

// Effect tells what the message with the number seq did when it arrived; ok is
// false if the task has no such message.
//
// It is right only when all messages that arrived before seq are folded, whatever came
// since. It costs at most the number of the task's messages.
func (t *Task) Effect(seq int64) (e Effect, ok bool) {
	t.sort()
	after, endAfter := t.latest(seq)
	if after < 0 || t.marks[after].seq != seq && !slices.ContainsFunc(t.marks, func(m mark) bool { return m.seq == seq }) {
		return Effect{}, false
	}
	newest := t.shapeOf(after)
	e = Effect{
		After: t.derive(after, endAfter), Features: newest.features, Updated: fromNano(t.marks[after].updated),
		Late: t.marks[after].seq != seq,
	}
	was := &shape{}
	if before, endBefore := t.latest(seq - 1); before >= 0 {
		was, e.Before = t.shapeOf(before), t.derive(before, endBefore)
	}
	if !e.Late {
		e.Changes = diff(was, newest)
	}
	return e, true
}

// latest are the newest message and the newest end, of those up to the number seq;
// -1: there is none. The marks are in order.
func (t *Task) latest(seq int64) (newest, end int32) {
	newest, end = -1, -1
	for i := int32(len(t.marks) - 1); i >= 0; i-- {
		switch {
		case t.marks[i].seq > seq:
			continue
		case newest < 0:
			newest = i
		}
		if t.end < 0 {
			break
		}
		if t.origin(i).rank == rankEnd {
			end = i
			break
		}
	}
	return newest, end
}

// diff lists what changed between two shapes in the order of the features.
func diff(before, after *shape) []FeatureChange {
	if before == after {
		return nil
	}
	var changes []FeatureChange
	for _, f := range after.features {
		if was, known := before.find(f.Name); !known || was != f.State {
			changes = append(changes, FeatureChange{f.Name, was, f.State})
		}
	}
	for _, f := range before.features {
		if _, known := after.find(f.Name); !known {
			changes = append(changes, FeatureChange{f.Name, f.State, ""})
		}
	}
	slices.SortFunc(changes, func(a, b FeatureChange) int { return CompareFeatures(a.Feature, b.Feature) })
	return changes
}
