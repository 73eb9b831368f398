package model

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// target is what a [Filter] is matched against: a task, or one line of the event
// log.
type target struct {
	task     *Task     // nil if the line belongs to none
	event    *Event    // nil for the task itself
	rejected *Rejected // the refused request of such a line
	name     string    // the asset's name, "" if unknown
	now      time.Time // for is:stalled
}

// match reports whether all terms hold for s. It does not keep s.
func (f *Filter) match(s *target) bool {
	for i := range f.terms {
		if t := &f.terms[i]; t.any(s) == t.negate {
			return false
		}
	}
	return true
}

func (t *term) any(s *target) bool {
	for _, v := range t.values {
		if t.holds(*s, t, v) {
			return true
		}
	}
	return false
}

// told reports whether the message alone would give the task a state that begins so.
func (s *target) told(start string) bool {
	return s.snapshot() != nil && inState(s.event.state(), start)
}

// became reports whether the line's message changed the task or one of its features to a
// state that begins so, or one of the task's messages did. The state is in one of the
// phases.
func (s *target) became(start string, in phases) bool {
	switch {
	case s.task == nil || s.rejected != nil:
		return false
	case s.event != nil:
		return s.task.became(s.event.Seq, start)
	}
	return s.task.everIn(in) && slices.ContainsFunc(s.task.marks, func(m mark) bool { return s.task.became(m.seq, start) })
}

// everIn reports whether a message told that the task or a feature was in one of the phases.
func (t *Task) everIn(in phases) bool {
	for i := range t.marks {
		told := t.board.shapes.at(t.marks[i].shape).phases
		switch t.origin(int32(i)).kind {
		case Done:
			told |= phaseOf(Completed)
		case Failure:
			told |= phaseOf(Failed)
		}
		if told&in != 0 {
			return true
		}
	}
	return false
}

// became is [Task.Effect] for a filter: it does not allocate.
func (t *Task) became(seq int64, start string) bool {
	t.sort()
	i, end := t.latest(seq)
	if i < 0 || t.marks[i].seq != seq { // not there, or late
		return false
	}
	was, before := &noShape, State("")
	if j, end := t.latest(seq - 1); j >= 0 {
		was, before = t.shapeOf(j), t.derive(j, end)
	}
	if after := t.derive(i, end); after != before && inState(after, start) {
		return true
	}
	now := t.shapeOf(i)
	if now == was {
		return false
	}
	for _, f := range now.features {
		if old, known := was.find(f.Name); (!known || old != f.State) && inState(f.State, start) {
			return true
		}
	}
	return false
}

var noShape shape

func (s *target) featureInState(name, start string) bool {
	return slices.ContainsFunc(s.features(), func(f Feature) bool {
		return strings.EqualFold(f.Name, name) && inState(f.State, start)
	})
}

func (s *target) hasFeature(start string) bool {
	return slices.ContainsFunc(s.features(), func(f Feature) bool { return beginsWith(f.Name, start) })
}

// snapshot is the task in the line's event, or nil.
func (s *target) snapshot() *Snapshot {
	if s.event == nil {
		return nil
	}
	return s.event.Task
}

func (s *target) line() bool { return s.event != nil || s.rejected != nil }

func (s *target) features() []Feature {
	switch snapshot := s.snapshot(); {
	case snapshot != nil:
		return snapshot.Features
	case s.task != nil && !s.line():
		return s.task.Features()
	}
	return nil
}

// ids are those of the task and its asset. A line whose body tells none, such
// as a repeat, still belongs to its task.
func (s *target) ids() (task, asset string) {
	switch snapshot := s.snapshot(); {
	case snapshot != nil:
		return snapshot.ID, snapshot.AssetID
	case s.task != nil:
		return s.task.id, s.task.asset
	}
	return "", ""
}

func (s *target) ofUser(start string) bool {
	if s.event != nil && beginsWith(s.event.UserID, start) {
		return true
	}
	switch snapshot := s.snapshot(); {
	case snapshot != nil:
		return beginsWith(snapshot.UserID, start)
	case s.task != nil:
		return beginsWith(s.task.UserID(), start)
	}
	return false
}

func (s *target) hasType(part string) bool {
	if s.line() {
		return s.event != nil && contains(s.event.Type, part)
	}
	return s.task != nil && s.task.hasType(part)
}

func (s *target) mentions(word string) bool {
	if s.task != nil && !s.line() {
		t, shape := s.task, s.task.newestShape()
		return t.mentions(word) || strings.Contains(shape.names, word) || strings.Contains(shape.states, word) ||
			strings.Contains(string(t.state), word) || contains(s.name, word)
	}
	if task, asset := s.ids(); contains(task, word) || contains(asset, word) || contains(s.name, word) {
		return true
	}
	if r := s.rejected; r != nil {
		v := &r.Verdict
		if contains(r.ID, word) || contains(string(v.Reason), word) || contains(v.Detail, word) || contains(v.Hint, word) {
			return true
		}
	}
	if e := s.event; e != nil && (contains(e.ID, word) || contains(e.EventID, word) || contains(e.Type, word)) {
		return true
	}
	if s.snapshot() != nil && strings.Contains(string(s.event.state()), word) {
		return true
	}
	return slices.ContainsFunc(s.features(), func(f Feature) bool {
		return contains(f.Name, word) || contains(string(f.State), word)
	})
}

// mentions reports whether one of the ids contains word, which is in lower case.
func (t *Task) mentions(word string) bool {
	if t.lower {
		return strings.Contains(t.id, word) || strings.Contains(t.asset, word)
	}
	return contains(t.id, word) || contains(t.asset, word)
}

func (s target) is(t *term) bool {
	for _, c := range t.is {
		if c.holds(s) {
			return true
		}
	}
	return false
}

// late reports whether the line's message was late, or one of the task's.
func (s target) late() bool {
	switch {
	case s.task == nil:
		return false
	case s.event == nil:
		return s.rejected == nil && s.task.hadLate()
	}
	effect, _ := s.task.Effect(s.event.Seq)
	return effect.Late
}

func (s target) stalled() bool {
	if s.task == nil {
		return false
	}
	_, stalled := s.task.board.Stalled(s.task, s.now)
	return stalled
}

// inState reports whether state begins with start, which is in lower case. An
// unknown state counts as processing too.
func inState(state State, start string) bool {
	return strings.HasPrefix(string(state.phase()), start) || beginsWith(string(state), start)
}

// contains reports whether s contains part, which is in lower case and not
// empty, in any case. It does not allocate.
func contains(s, part string) bool {
	// 0x20 is all that sets capitals apart in ASCII; what else differs in no more
	// than that is sorted out by beginsWith.
	first := part[0] | 0x20
	for i := range len(s) {
		if c := s[i]; (c|0x20 == first || c >= utf8.RuneSelf) && beginsWith(s[i:], part) {
			return true
		}
	}
	return false
}

// beginsWith reports whether s begins with start, which is in lower case, in
// any case.
func beginsWith(s, start string) bool {
	for i := range len(start) {
		if i == len(s) {
			return false
		}
		got, want := s[i], start[i]
		if got >= utf8.RuneSelf || want >= utf8.RuneSelf {
			return runesBeginWith(s[i:], start[i:])
		}
		if 'A' <= got && got <= 'Z' {
			got |= 0x20
		}
		if got != want {
			return false
		}
	}
	return true
}

func runesBeginWith(s, start string) bool {
	for _, want := range start {
		got, n := utf8.DecodeRuneInString(s)
		if n == 0 || unicode.ToLower(got) != want {
			return false
		}
		s = s[n:]
	}
	return true
}
