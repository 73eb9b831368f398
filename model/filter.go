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
	field   field
	feature string // whose state is asked, if field is byFeature
	value   string
	is      condition // any of these, if field is "is"
}

type field uint8

const (
	byWord field = iota
	byFeature
	byState
	byFeatureName
	byTask
	byAsset
	byName
	byUser
	byType
	byCondition
)

// fields are the names of the fields, those that start with byState.
var fields = []string{"state", "feature", "task", "asset", "name", "user", "type", "is"}

// condition is a set of what is: can ask for.
type condition uint8

const (
	isLate condition = 1 << iota
	isDuplicate
	isRejected
	isStalled
	isActive
	isDone
)

// conditions are their names, in the same order.
var conditions = []string{"late", "duplicate", "rejected", "stalled", "active", "done"}

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
		t.value, _ = unquote(s)
		return t, ""
	}
	name, literalName := unquote(s[:colon])
	value, literal := unquote(s[colon+1:])
	if value == "" {
		return t, ""
	}
	t.value = value
	if i := slices.Index(fields, name); i >= 0 && !literalName {
		t.field = byState + field(i)
	} else {
		t.field, t.feature = byFeature, name
		if !literalName {
			message = doubtName(name, value, literal)
		}
	}
	switch t.field {
	case byCondition:
		for i, c := range conditions {
			if strings.HasPrefix(c, value) {
				t.is |= 1 << i
			}
		}
		if t.is == 0 {
			message = fmt.Sprintf("is: asks for %s", enumerate(conditions, "or"))
		}
	case byState, byFeature:
		if message == "" && !literal && !startsState(value) {
			message = fmt.Sprintf("%q is not a state; the states are %s (in double quotes, any other is looked for)",
				value, enumerate(StateNames(), "and"))
		}
	}
	return t, message
}

// doubtName says why name is not taken for the name of a feature, or nothing. A
// feature nobody has heard of is believed if a state follows, unless it looks
// like a slip of the hand.
func doubtName(name, value string, literal bool) string {
	known := slices.Concat(documented, internal)
	if slices.Contains(known, name) {
		return ""
	}
	for _, candidate := range slices.Concat(fields, known) {
		if nearly(name, candidate) {
			return fmt.Sprintf("there is no field %q, did you mean %s:? The fields are %s, or a feature's name before its state",
				name, candidate, enumerate(fields, "and"))
		}
	}
	if name != "" && (literal || startsState(value)) {
		return ""
	}
	return fmt.Sprintf("there is no field %q; the fields are %s, or a feature's name before its state; text with a colon goes in double quotes",
		name, enumerate(fields, "and"))
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

// Picks reports whether the filter picks an event of the log. The board, of all
// messages, is asked only if the filter [Filter.NeedsBoard]; else it may be nil.
// Now is the present moment, for is:stalled.
func (f *Filter) Picks(e *Event, b *Board, now time.Time) bool {
	if f.Empty() {
		return true
	}
	s := Subject{Event: e, Duplicate: e.Message != e.Seq, Now: now}
	if b != nil && e.Task != nil {
		if s.Task = b.Task(e.Task.ID); s.Task != nil {
			effect, _ := s.Task.Effect(e.Seq)
			s.Late = effect.Late
		}
	}
	return f.Match(&s)
}

// NeedsBoard reports whether a term asks about more than a line of the event log
// tells by itself: whether it was late, or about its task as it is now (is:late,
// is:stalled, is:active, is:done). For all other terms, [Subject.Task] may be
// nil where Event tells the task.
func (f *Filter) NeedsBoard() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool {
		return t.field == byCondition && t.is&(isLate|isStalled|isActive|isDone) != 0
	})
}
