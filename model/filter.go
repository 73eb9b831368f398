package model

import (
	"fmt"
	"maps"
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
//	state:failed      the state of the task itself, as it is now
//	became:failed     the event changed the task or a feature to that state
//	visual:failed     the state of one feature, under any name of a feature
//	feature:visual    the task has a feature of that name
//	task: asset: user:   the id begins so
//	name: type:          the asset's name, the event's type contains this
//	is:late  is:duplicate  is:rejected  is:stalled  is:active  is:done
//	@mine             all terms of the filter of that name; see [NamedFilters]
//
// A comma in the value of a field means any of them: state:failed,cancelled. A - or !
// before a term negates it, of several values all. Case does not matter. States, names of
// features behind feature: and conditions behind is: may be shortened; what
// fits several means any of them. Double quotes keep spaces, colons and commas
// together, and what they enclose is taken as it is, where states and fields
// are checked otherwise: visual:"paused".
//
// Of a task, the terms ask about the board: its own state, the features of its
// newest message; is:late, type: and became: hold if they do for one of its messages.
// Of a line of the event log, they ask about that message alone; only state:, is:stalled,
// is:active and is:done ask about its task as it is now. No term holds for what is missing;
// its negation does.
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
	holds   func(s target, t *term, value string) bool
	feature string      // the name before the colon, if it is no field
	values  []string    // any of these
	is      []condition // any of these
	phases  phases      // that the states begin with, if they are ones
	named   *Filter
	board   bool // it asks for more than the line of the event log tells
}

// field is what a term can ask about by a name before a colon. A target passed by value
// is not allocated.
type field struct {
	name  string
	holds func(s target, t *term, value string) bool
	// check prepares t and says what is wrong with a value, which is literal if it
	// was quoted; nil takes any value.
	check func(t *term, value string, literal bool) (message string)
}

var fields = []field{
	{"state", func(s target, _ *term, v string) bool { return s.task != nil && inState(s.task.state, v) }, checkState},
	{"feature", func(s target, _ *term, v string) bool { return s.hasFeature(v) }, nil},
	{"task", func(s target, _ *term, v string) bool { id, _ := s.ids(); return beginsWith(id, v) }, nil},
	{"asset", func(s target, _ *term, v string) bool { _, id := s.ids(); return beginsWith(id, v) }, nil},
	{"name", func(s target, _ *term, v string) bool { return contains(s.name, v) }, nil},
	{"user", func(s target, _ *term, v string) bool { return s.ofUser(v) }, nil},
	{"type", func(s target, _ *term, v string) bool { return s.hasType(v) }, nil},
	{"became", func(s target, t *term, v string) bool { return s.became(v, t.phases) }, checkState},
	{"is", func(s target, t *term, _ string) bool { return s.is(t) }, checkConditions},
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

// NamedFilters are the texts of filters that others may use by @ and their name.
type NamedFilters map[string]string

// ParseFilter reads a filter where none has a name. The empty text matches everything.
// Every error is a [*FilterError]; with one that is Unfinished comes the filter of all
// that is complete.
func ParseFilter(text string) (*Filter, error) { return NamedFilters(nil).Parse(text) }

// Parse is [ParseFilter] with the named filters.
func (n NamedFilters) Parse(text string) (*Filter, error) { return (&parser{named: n}).parse(text) }

// ParseOfMessage reads a filter for [Filter.MatchEvent] that asks about nothing but the
// message: state: is the state that it alone would give the task, and what needs more is
// an error.
func (n NamedFilters) ParseOfMessage(text string) (*Filter, error) {
	return (&parser{named: n, message: true}).parse(text)
}

// Check returns the error of one of the named filters, which may not use each other.
func (n NamedFilters) Check(name string) error {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\",:|", r) }) {
		return fmt.Errorf("%q cannot be the name of a filter, which has no spaces, commas, colons, quotes and bars", name)
	}
	_, err := (&parser{inside: true}).parse(n[name])
	return err
}

type parser struct {
	named   NamedFilters
	message bool // as of [NamedFilters.ParseOfMessage]
	inside  bool // a named filter is being read
}

func (p *parser) parse(text string) (*Filter, error) {
	f := &Filter{text: text}
	var unfinished error
	for rest := text; ; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return f, unfinished
		}
		n, pos := unquotedIndex(rest, unicode.IsSpace), len(text)-len(rest)
		t, missing, message := p.term(rest[:n])
		if message != "" {
			return nil, &FilterError{Text: text, Pos: pos, Len: n, Message: message}
		}
		if len(t.values) > 0 {
			f.terms = append(f.terms, t)
		}
		if missing && unfinished == nil {
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

const (
	anyOf       = "a comma in a field's value means any of them, such as state:failed,cancelled"
	onlyMessage = "a filter of [[forward]] is asked once, when the message is read; it takes words, type:, task:, asset:, user:, feature:, state: and a feature's name before its state"
)

// term reads one term. missing says that it lacks a value; message is empty or says what
// is wrong with it.
func (p *parser) term(s string) (t term, missing bool, message string) {
	if s == "OR" || unquotedIndex(s, func(r rune) bool { return r == '|' }) < len(s) {
		return t, false, "there is no OR; " + anyOf + " (text with a bar, or the word OR, goes in double quotes)"
	}
	for s != "" && (s[0] == '-' || s[0] == '!') {
		t.negate, s = !t.negate, s[1:]
	}
	if name, ok := strings.CutPrefix(s, "@"); ok {
		return p.use(t, name)
	}
	colon := unquotedIndex(s, func(r rune) bool { return r == ':' })
	if colon == len(s) {
		t.holds = func(s target, _ *term, v string) bool { return s.mentions(v) }
		if v, _ := unquote(s); v != "" {
			t.values = []string{v}
		}
		return t, len(t.values) == 0, ""
	}
	name, literalName := unquote(s[:colon])
	f := field{check: checkState}
	i := slices.Index(fieldNames(), name)
	switch {
	case i < 0 || literalName:
		t.feature, f.holds = name, func(s target, t *term, v string) bool { return s.featureInState(t.feature, v) }
	case p.message && slices.Contains([]string{"is", "name", "became"}, name):
		return t, false, onlyMessage
	case p.message && name == "state":
		f.holds = func(s target, _ *term, v string) bool { return s.told(v) }
	default:
		f, t.board = fields[i], name == "state" || name == "became"
	}
	t.holds = f.holds
	for rest, more := s[colon+1:], true; more; {
		n := unquotedIndex(rest, func(r rune) bool { return r == ',' })
		value, literal := unquote(rest[:n])
		if more = n < len(rest); more {
			rest = rest[n+1:]
		}
		if value == "" {
			missing = true
			continue
		}
		if t.feature != "" && !literalName || name == "" {
			message = doubtName(name, value, literal)
		}
		if message == "" && f.check != nil {
			message = f.check(&t, value, literal)
		}
		if message != "" {
			return t, false, message
		}
		t.values = append(t.values, value)
	}
	if len(t.is) > 0 {
		t.values = t.values[:1] // they are in t.is, all of them
	}
	return t, missing, ""
}

func (p *parser) use(t term, name string) (_ term, missing bool, message string) {
	text, known := p.named[name]
	switch {
	case name == "":
		return t, true, ""
	case p.inside:
		return t, false, "a filter with a name cannot use another one"
	case !known && len(p.named) == 0:
		return t, false, fmt.Sprintf("there is no filter @%s: the config file has no [filters]; text that begins with @ goes in double quotes", name)
	case !known:
		return t, false, fmt.Sprintf("there is no filter @%s; [filters] in the config file has %s", name, enumerate(slices.Sorted(maps.Keys(p.named)), "and"))
	}
	f, err := (&parser{message: p.message, inside: true}).parse(text)
	if err != nil {
		return t, false, err.Error()
	}
	t.named, t.values = f, []string{name}
	t.holds = func(s target, t *term, _ string) bool { return t.named.match(&s) }
	return t, false, ""
}

func checkState(t *term, value string, literal bool) string {
	for _, i := range States {
		if strings.HasPrefix(string(i.State), value) {
			t.phases |= phaseOf(i.State)
		}
	}
	if literal {
		t.phases |= phaseOf(State(value))
	}
	if literal || startsState(value) {
		return ""
	}
	return fmt.Sprintf("%q is not a state; the states are %s (in double quotes, any other is looked for)",
		value, enumerate(StateNames(), "and"))
}

func checkConditions(t *term, value string, _ bool) string {
	var names []string
	found := false
	for _, c := range conditions {
		if names = append(names, c.name); strings.HasPrefix(c.name, value) {
			t.is = append(t.is, c)
			found = true
		}
	}
	if !found {
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
// state:, became:, is:late, is:stalled, is:active, is:done. What passes may change then
// as others arrive. For all other terms, the task may be nil where the event tells it.
func (f *Filter) NeedsBoard() bool {
	return slices.ContainsFunc(f.terms, func(t term) bool {
		return t.board || t.named != nil && t.named.NeedsBoard() ||
			slices.ContainsFunc(t.is, func(c condition) bool { return c.board })
	})
}
