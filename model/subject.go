package model

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// subject is what a [Filter] is asked about: a task, or one line of the event
// log.
type subject struct {
	Task  *Task  // nil if the line belongs to none
	Event *Event // nil if the subject is the task itself, or a rejected request
	Name  string // the asset's name, "" if unknown

	Late, Duplicate, Rejected bool // of the line
	// Rejection is the refused request of a rejected line.
	Rejection *Rejected
	Now       time.Time // the present moment, for is:stalled
}

// match reports whether all terms hold for s. It does not keep s.
func (f *Filter) match(s *subject) bool {
	for i := range f.terms {
		if t := &f.terms[i]; t.holds(*s, t) == t.negate {
			return false
		}
	}
	return true
}

func (s *subject) inState(start string) bool {
	state, ok := s.state()
	return ok && inState(state, start)
}

func (s *subject) featureInState(name, start string) bool {
	return slices.ContainsFunc(s.features(), func(f Feature) bool {
		return strings.EqualFold(f.Name, name) && inState(f.State, start)
	})
}

func (s *subject) hasFeature(start string) bool {
	return slices.ContainsFunc(s.features(), func(f Feature) bool { return beginsWith(f.Name, start) })
}

// told is what the line's event tells of a task, or nil.
func (s *subject) told() *Snapshot {
	if s.Event == nil {
		return nil
	}
	return s.Event.Task
}

// line reports whether the subject is a line of the event log.
func (s *subject) line() bool { return s.Event != nil || s.Rejected }

func (s *subject) features() []Feature {
	switch told := s.told(); {
	case told != nil:
		return told.Features
	case s.Task != nil && !s.line():
		return s.Task.Features()
	}
	return nil
}

func (s *subject) state() (State, bool) {
	switch {
	case s.told() != nil:
		return s.Event.state(), true
	case s.Task != nil && !s.line():
		return s.Task.State(), true
	}
	return "", false
}

// ids are those of the task and its asset. A line whose body tells none, such
// as a repeat, still belongs to its task.
func (s *subject) ids() (task, asset string) {
	switch told := s.told(); {
	case told != nil:
		return told.ID, told.AssetID
	case s.Task != nil:
		return s.Task.id, s.Task.asset
	}
	return "", ""
}

func (s *subject) ofUser(start string) bool {
	if s.Event != nil && beginsWith(s.Event.UserID, start) {
		return true
	}
	switch told := s.told(); {
	case told != nil:
		return beginsWith(told.UserID, start)
	case s.Task != nil:
		return beginsWith(s.Task.UserID(), start)
	}
	return false
}

func (s *subject) hasType(part string) bool {
	if s.line() {
		return s.Event != nil && contains(s.Event.Type, part)
	}
	return s.Task != nil && s.Task.hasType(part)
}

func (s *subject) mentions(word string) bool {
	if s.Task != nil && !s.line() {
		t, shape := s.Task, s.Task.newestShape()
		return t.mentions(word) || strings.Contains(shape.names, word) || strings.Contains(shape.states, word) ||
			strings.Contains(string(t.state), word) || contains(s.Name, word)
	}
	if task, asset := s.ids(); contains(task, word) || contains(asset, word) || contains(s.Name, word) {
		return true
	}
	if r := s.Rejection; r != nil {
		v := &r.Verdict
		if contains(r.ID, word) || contains(string(v.Reason), word) || contains(v.Detail, word) || contains(v.Hint, word) {
			return true
		}
	}
	if e := s.Event; e != nil && (contains(e.ID, word) || contains(e.EventID, word) || contains(e.Type, word)) {
		return true
	}
	if state, ok := s.state(); ok && strings.Contains(string(state), word) {
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

// is reports whether one of the term's conditions holds.
func (s subject) is(t *term) bool {
	for i := range conditions {
		if t.is&(1<<i) != 0 && conditions[i].holds(s) {
			return true
		}
	}
	return false
}

func (s subject) stalled() bool {
	if s.Task == nil {
		return false
	}
	_, stalled := s.Task.board.Stalled(s.Task, s.Now)
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
