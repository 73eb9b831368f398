package model

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
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
// Of a line of the event log, they ask about that message alone, and state: about
// the state that it alone would give the task; only is:stalled, is:active and
// is:done ask about its task as it is now. No term holds for what is missing; its
// negation does.
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
	holds   func(s target, t *term) bool
	feature string // the name before the colon, if it is no field
	value   string
	is      []condition // any of these
}

// field is what a term can ask about by a name before a colon. A target passed by value
// is not allocated.
type field struct {
	name  string
	holds func(s target, t *term) bool
	// check prepares t and says what is wrong with its value, which is literal if it
	// was quoted; nil takes any value.
	check func(t *term, literal bool) (message string)
}

var fields = []field{
	{"state", func(s target, t *term) bool { return s.inState(t.value) }, checkState},
	{"feature", func(s target, t *term) bool { return s.hasFeature(t.value) }, nil},
	{"task", func(s target, t *term) bool { id, _ := s.ids(); return beginsWith(id, t.value) }, nil},
	{"asset", func(s target, t *term) bool { _, id := s.ids(); return beginsWith(id, t.value) }, nil},
	{"name", func(s target, t *term) bool { return contains(s.name, t.value) }, nil},
	{"user", func(s target, t *term) bool { return s.ofUser(t.value) }, nil},
	{"type", func(s target, t *term) bool { return s.hasType(t.value) }, nil},
	{"is", target.is, checkConditions},
}

// condition is what is: can ask for.
type condition struct {
	name  string
	board bool // it asks for more than the line of the event log tells
	holds func(s target) bool
}

var conditions = []condition{
	{"late", true, target.late},
	{"duplicate", false, func(s target) bool { return s.event != nil && s.event.Message != s.event.Seq }},
	{"rejected", false, func(s target) bool { return s.rejected != nil }},
	{"stalled", true, target.stalled},
	{"active", true, func(s target) bool { return s.task != nil && s.task.Active() }},
	{"done", true, func(s target) bool { return s.task != nil && !s.task.Active() }},
}

func fieldNames() (names []string) {
	for _, f := range fields {
		names = append(names, f.name)
	}
	return names
}

// ParseFilter reads a filter. The empty text matches everything. Every error is a
// [*FilterError]; with one that is Unfinished comes the filter of the other terms.
func ParseFilter(text string) (*Filter, error) {
	f := &Filter{text: text}
	var unfinished error
	for rest := text; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return f, unfinished
		}
		n, pos := unquotedIndex(rest, unicode.IsSpace), len(text)-len(rest)
		t, message := parseTerm(rest[:n])
		if message != "" {
			return nil, &FilterError{Text: text, Pos: pos, Len: n, Message: message}
		}
		if t.value != "" {
			f.terms = append(f.terms, t)
		} else if unfinished == nil {
			unfinished = &FilterError{text, pos, n, fmt.Sprintf("%q has no value", rest[:n]), true}
		}
		rest = rest[n:]
	}
}

// unquotedIndex is where the first rune that is reports stands outside double quotes,
// or the length of s. A quote still open runs to the end.
func unquotedIndex(s string, is func(rune) bool) int {
	quoted := false
	for i, r := range s {
		if r == '"' {
			quoted = !quoted
		} else if !quoted && is(r) {
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
	colon := unquotedIndex(s, func(r rune) bool { return r == ':' })
	if colon == len(s) {
		t.holds = func(s target, t *term) bool { return s.mentions(t.value) }
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
		t.feature, f.holds = name, func(s target, t *term) bool { return s.featureInState(t.feature, t.value) }
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
	for _, c := range conditions {
		if names = append(names, c.name); strings.HasPrefix(c.name, t.value) {
			t.is = append(t.is, c)
		}
	}
	if t.is == nil {
		return fmt.Sprintf("is: asks for %s", enumerate(names, "or"))
	}
	return ""
}

// doubtName says why name is not taken for the name of a feature, "" if it is. An
// unknown one is if a state follows, unless it looks like a typing error.
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

// unquote returns s in lower case without its quotes, and whether it had any.
func unquote(s string) (text string, literal bool) {
	text = strings.ReplaceAll(s, `"`, "")
	return strings.ToLower(text), len(text) < len(s)
}

// enumerate joins words as a sentence does: a, b and c.
func enumerate[S ~string](words []S, last string) string {
	text := string(words[0])
	for i, w := range words[1:] {
		link := ", "
		if i == len(words)-2 {
			link = " " + last + " "
		}
		text += link + string(w)
	}
	return text
}

// Empty reports whether f matches everything.
func (f *Filter) Empty() bool { return len(f.terms) == 0 }

// String is the text that f was read from.
func (f *Filter) String() string { return f.text }

// MatchTask reports whether a task passes. The asset's name may be "".
func (f *Filter) MatchTask(t *Task, name string, now time.Time) bool {
	return f.Empty() || f.match(&target{task: t, name: name, now: now})
}

// MatchEvent reports whether an event of the log passes. Its task, as it is now, is
// asked only if the filter [Filter.NeedsBoard]; else it may be nil.
func (f *Filter) MatchEvent(e *Event, t *Task, name string, now time.Time) bool {
	return f.Empty() || f.match(&target{task: t, event: e, name: name, now: now})
}

// MatchRejected reports whether a rejected request passes. The event that it claimed to
// be may be nil.
func (f *Filter) MatchRejected(r *Rejected, e *Event) bool {
	return f.Empty() || f.match(&target{rejected: r, event: e})
}

// NeedsBoard reports whether a term asks for more than a line of the event log tells:
// is:late, is:stalled, is:active, is:done. What passes may change then as others
// arrive. For all other terms, the task may be nil where the event tells it.
func (f *Filter) NeedsBoard() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool {
		return slices.ContainsFunc(t.is, func(c condition) bool { return c.board })
	})
}
