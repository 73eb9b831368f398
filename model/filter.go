package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Filter picks tasks and lines of the event log. It is a list of terms between
// spaces, all of which must hold:
//
//	word              part of an id (task, asset, event, message), a name, a
//	                  feature, a state, an event type, or a rejection's reason
//	state:failed      the state of the task itself
//	visual:failed     the state of one feature, under any name of a feature
//	feature:visual    the task has a feature of that name
//	task: asset: user:   the id begins so
//	name: type:          the asset's name, the event's type contains this
//	is:late  is:duplicate  is:rejected  is:stalled  is:active  is:done
//
// A - or ! before a term negates it. Case does not matter. States, names of
// features behind feature: and conditions behind is: may be shortened; what
// fits several means any of them. Double quotes keep spaces and colons
// together, and what they enclose is taken as it is, where states and fields
// are checked otherwise: visual:"paused".
//
// Of a task, the terms ask about the board: its own state, the features of its
// newest message; is:late and type: hold if they do for one of its messages.
// Of a line of the event log, they ask about what that message alone tells, and
// state: about the state that it alone would give the task; only is:stalled,
// is:active and is:done ask about its task as it is now. What a subject has
// not, no term holds for, so the negated term does.
//
// A Filter does not change. Its zero value matches everything.
type Filter struct {
	text  string
	terms []term
}

// FilterError says which term of a filter cannot be understood.
type FilterError struct {
	Text     string // the whole filter
	Pos, Len int    // where the term stands in Text, in bytes
	Message  string // what is wrong with it, and what is possible
	// Unfinished says that the term only lacks its value, as while it is being typed.
	Unfinished bool
}

// Error is one line that quotes the term.
func (e *FilterError) Error() string {
	if e.Unfinished {
		return e.Message
	}
	return fmt.Sprintf("filter term %q: %s", e.Text[e.Pos:e.Pos+e.Len], e.Message)
}

// term is one condition. All its texts are in lower case.
type term struct {
	negate  bool
	holds   func(s subject, t *term) bool
	feature string // the name before the colon, if it is no field
	value   string
	is      uint8 // any of these conditions, by their places
}

// field is what a term can ask about by a name before a colon. A subject is passed by
// value: so that it need not be allocated.
type field struct {
	name  string
	holds func(s subject, t *term) bool
	// check prepares t and says what is wrong with its value, which is literal if it
	// was quoted; nil takes any value.
	check func(t *term, literal bool) (message string)
}

var fields = []field{
	{"state", func(s subject, t *term) bool { return s.inState(t.value) }, checkState},
	{"feature", func(s subject, t *term) bool { return s.hasFeature(t.value) }, nil},
	{"task", func(s subject, t *term) bool { id, _ := s.ids(); return beginsWith(id, t.value) }, nil},
	{"asset", func(s subject, t *term) bool { _, id := s.ids(); return beginsWith(id, t.value) }, nil},
	{"name", func(s subject, t *term) bool { return contains(s.Name, t.value) }, nil},
	{"user", func(s subject, t *term) bool { return s.ofUser(t.value) }, nil},
	{"type", func(s subject, t *term) bool { return s.hasType(t.value) }, nil},
	{"is", subject.is, checkConditions},
}

// conditions are what is: can ask for. What asks the board needs to know more than
// the line of the event log.
var conditions = []struct {
	name  string
	board bool
	holds func(s subject) bool
}{
	{"late", true, func(s subject) bool { return s.Late || s.Task != nil && !s.line() && s.Task.hadLate() }},
	{"duplicate", false, func(s subject) bool { return s.Duplicate }},
	{"rejected", false, func(s subject) bool { return s.Rejected }},
	{"stalled", true, subject.stalled},
	{"active", true, func(s subject) bool { return s.Task != nil && !s.Task.State().Terminal() }},
	{"done", true, func(s subject) bool { return s.Task != nil && s.Task.State().Terminal() }},
}

func fieldNames() []string {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

// ParseFilter reads a filter. The empty text matches everything. Every error is
// a [*FilterError]. If it is Unfinished, the filter that the other terms make comes
// with it.
func ParseFilter(text string) (*Filter, error) {
	f := &Filter{text: text}
	var unfinished error
	for pos := 0; pos < len(text); {
		if r, n := utf8.DecodeRuneInString(text[pos:]); unicode.IsSpace(r) {
			pos += n
			continue
		}
		n := termLen(text[pos:])
		t, message := parseTerm(text[pos : pos+n])
		if message != "" {
			return nil, &FilterError{Text: text, Pos: pos, Len: n, Message: message}
		}
		if t.value != "" {
			f.terms = append(f.terms, t)
		} else if unfinished == nil {
			unfinished = &FilterError{text, pos, n, fmt.Sprintf("%q has no value", text[pos:pos+n]), true}
		}
		pos += n
	}
	return f, unfinished
}

// termLen is the length of the term that s starts with, in bytes: it ends at a
// space that is not between quotes. A quote still open runs to the end.
func termLen(s string) int {
	quoted := false
	for i, r := range s {
		if r == '"' {
			quoted = !quoted
		} else if !quoted && unicode.IsSpace(r) {
			return i
		}
	}
	return len(s)
}

// parseTerm reads one term; message is empty or says what is wrong with it.
func parseTerm(s string) (t term, message string) {
	for s != "" && (s[0] == '-' || s[0] == '!') {
		t.negate, s = !t.negate, s[1:]
	}
	colon := colonOf(s)
	if colon < 0 {
		t.holds = func(s subject, t *term) bool { return s.mentions(t.value) }
		t.value, _ = unquote(s)
		return t, ""
	}
	name, literalName := unquote(s[:colon])
	value, literal := unquote(s[colon+1:])
	if t.value = value; value == "" {
		return t, ""
	}
	f := field{check: checkState}
	if i := slices.Index(fieldNames(), name); i >= 0 && !literalName {
		f = fields[i]
	} else {
		t.feature, f.holds = name, func(s subject, t *term) bool { return s.featureInState(t.feature, t.value) }
		if !literalName {
			message = doubtName(name, value, literal)
		}
	}
	if t.holds = f.holds; message == "" && f.check != nil {
		message = f.check(&t, literal)
	}
	return t, message
}

func checkState(t *term, literal bool) string {
	if literal || startsState(t.value) {
		return ""
	}
	return fmt.Sprintf("%q is not a state; the states are %s (in double quotes, any other is looked for)",
		t.value, enumerate(StateNames(), "and"))
}

func checkConditions(t *term, _ bool) string {
	var names []string
	for i, c := range conditions {
		if names = append(names, c.name); strings.HasPrefix(c.name, t.value) {
			t.is |= 1 << i
		}
	}
	if t.is == 0 {
		return fmt.Sprintf("is: asks for %s", enumerate(names, "or"))
	}
	return ""
}

// doubtName says why name is not taken for the name of a feature, or nothing. A
// feature nobody has heard of is believed if a state follows, unless it looks
// like a slip of the hand.
func doubtName(name, value string, literal bool) string {
	known := slices.Concat(documented, internal)
	if slices.Contains(known, name) {
		return ""
	}
	for _, candidate := range slices.Concat(fieldNames(), known) {
		if nearly(name, candidate) {
			return fmt.Sprintf("there is no field %q, did you mean %s:? The fields are %s, or a feature's name before its state",
				name, candidate, enumerate(fieldNames(), "and"))
		}
	}
	if name != "" && (literal || startsState(value)) {
		return ""
	}
	return fmt.Sprintf("there is no field %q; the fields are %s, or a feature's name before its state; text with a colon goes in double quotes",
		name, enumerate(fieldNames(), "and"))
}

// startsState reports whether a documented state begins with s.
func startsState(s string) bool {
	return slices.ContainsFunc(States, func(i StateInfo) bool { return strings.HasPrefix(string(i.State), s) })
}

// nearly reports whether a becomes b by one keystroke: a letter more, less or
// other, or two neighbours swapped.
func nearly(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) <= 1 && len(b) <= 1 ||
		len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
}

// colonOf is where the first colon outside quotes stands, or -1.
func colonOf(s string) int {
	quoted := false
	for i := range len(s) {
		if s[i] == '"' {
			quoted = !quoted
		} else if s[i] == ':' && !quoted {
			return i
		}
	}
	return -1
}

// unquote returns s in lower case without its quotes, and whether it had any.
func unquote(s string) (text string, literal bool) {
	text = strings.ReplaceAll(s, `"`, "")
	return strings.ToLower(text), len(text) < len(s)
}

// enumerate joins words as a sentence does: a, b and c.
func enumerate[S ~string](words []S, last string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" " + last + " ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}

// Empty reports whether f matches everything.
func (f *Filter) Empty() bool { return len(f.terms) == 0 }

// String is the text that f was read from.
func (f *Filter) String() string { return f.text }

// MatchTask reports whether a task passes. The asset's name may be "".
func (f *Filter) MatchTask(t *Task, name string, now time.Time) bool {
	return f.Empty() || f.match(&subject{Task: t, Name: name, Now: now})
}

// MatchEvent reports whether an event of the log passes. Its task, as it is now, is
// asked only if the filter [Filter.NeedsBoard]; else it may be nil.
func (f *Filter) MatchEvent(e *Event, t *Task, name string, now time.Time) bool {
	if f.Empty() {
		return true
	}
	s := subject{Task: t, Event: e, Name: name, Duplicate: e.Message != e.Seq, Now: now}
	if t != nil && f.NeedsBoard() {
		effect, _ := t.Effect(e.Seq)
		s.Late = effect.Late
	}
	return f.match(&s)
}

// MatchRejected reports whether a rejected request passes. The event that it claimed to
// be may be nil.
func (f *Filter) MatchRejected(r *Rejected, e *Event) bool {
	return f.Empty() || f.match(&subject{Rejected: true, Rejection: r, Event: e})
}

// NeedsBoard reports whether a term asks about more than a line of the event log
// tells by itself: whether it was late, or about its task as it is now (is:late,
// is:stalled, is:active, is:done). What passes may change then as others arrive. For
// all other terms, its task may be nil where Event tells the task.
func (f *Filter) NeedsBoard() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool {
		for i, c := range conditions {
			if c.board && t.is&(1<<i) != 0 {
				return true
			}
		}
		return false
	})
}
