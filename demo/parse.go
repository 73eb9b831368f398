package demo

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aspectop/model"
)

const (
	longest  = 24 * time.Hour // the maximum time in a scenario
	maxCount = 1000           // uploads in one line
)

// word is a word of a line with the column of its first character, from 1.
type word struct {
	text   string
	column int
}

// parser reads a scenario line by line; see scenarios/README.md.
type parser struct {
	name  string
	line  int
	words []word // of the line, still unread
	end   int    // column after the line's last word

	tasks map[string]time.Duration // start of each known task
	when  word                     // the line's time
	last  time.Duration            // the previous line's time
}

func parse(name, text string) (*Scenario, error) {
	s := &Scenario{Name: name, steps: []step{}}
	p := parser{name: name, tasks: map[string]time.Duration{}}
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) { // some editors write a BOM
		p.line++
		if p.line == 1 && strings.HasPrefix(line, "#") {
			s.Title = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		p.split(line)
		if len(p.words) == 0 {
			continue
		}
		step, err := p.step()
		if err != nil {
			return nil, err
		}
		s.steps = append(s.steps, step)
	}
	if len(s.steps) == 0 {
		return nil, fmt.Errorf("%s: the scenario is empty; lines begin with at or after, such as: at 0s upload video", name)
	}
	return s, nil
}

var featureForm = regexp.MustCompile(`^[a-z0-9_]+$`)

var wordForm = regexp.MustCompile(`[^ \t\r\n]+`)

// split splits the line into words. A # at the start of a word begins a comment.
func (p *parser) split(line string) {
	p.words, p.end = p.words[:0], 1
	for _, at := range wordForm.FindAllStringIndex(line, -1) {
		w := word{line[at[0]:at[1]], utf8.RuneCountInString(line[:at[0]]) + 1}
		if w.text[0] == '#' {
			return
		}
		p.words = append(p.words, w)
		p.end = w.column + utf8.RuneCountInString(w.text)
	}
}

// next takes a word, empty at the end of the line.
func (p *parser) next() word {
	if len(p.words) == 0 {
		return word{"", p.end}
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// expected is the error that another word was expected.
func (p *parser) expected(w word, format string, args ...any) error {
	found := "the end of the line"
	if w.text != "" {
		found = strconv.Quote(w.text)
	}
	return fmt.Errorf("%s:%d:%d: expected %s; found %s", p.name, p.line, w.column, fmt.Sprintf(format, args...), found)
}

func (p *parser) step() (s step, err error) {
	first := p.next()
	p.when = p.next()
	switch first.text {
	case "at":
		s.at, err = p.duration(p.when, "a time since the start", -longest)
	case "after":
		s.at, err = p.duration(p.when, "a time since the line before", 0)
		s.at += p.last
	default:
		err = p.expected(first, "at or after, and a time")
	}
	if err != nil {
		return s, err
	}
	p.last = s.at
	what := p.next()
	s.do = action(what.text)
	switch s.do {
	case changeTask:
		err = p.task(&s)
	case upload:
		err = p.upload(&s)
	case ping:
		err = p.options(func(o option) error { return p.delivery(&s, o) })
	default:
		err = p.expected(what, "task, upload or ping")
	}
	return s, err
}

func (p *parser) task(s *step) error {
	name := p.next()
	if name.text == "" || strings.Contains(name.text, "=") {
		return p.expected(name, "a name for the task")
	}
	s.task = name.text
	begin, known := p.tasks[s.task]
	switch {
	case !known:
		w := p.next()
		if err := choose(p, w, &s.kind, "the kind of upload, as "+s.task+" is new", kinds); err != nil {
			return err
		}
	case s.at < begin:
		return p.expected(p.when, "a time not before %v, when %s begins", begin, s.task)
	case len(p.words) == 0:
		return p.expected(p.next(), "what happens to the task, such as visual=processing")
	}
	if !known {
		p.tasks[s.task] = s.at
	}
	return p.options(func(o option) error {
		switch o.name {
		case "type":
			s.eventType = o.value.text
			return nil
		case "hold", "repeat", "break":
			return p.delivery(s, o)
		}
		if !featureForm.MatchString(o.name) {
			return p.expected(o.word, "a feature's name in lower-case letters, digits and _")
		}
		f := model.Feature{Name: o.name}
		if err := choose(p, o.value, &f.State, "a state", model.StateNames()); err != nil {
			return err
		}
		s.changes = append(s.changes, f)
		return nil
	})
}

func (p *parser) upload(s *step) error {
	s.count, s.outcome = 1, completes
	if err := choose(p, p.next(), &s.kind, "the kind of upload", kinds); err != nil {
		return err
	}
	return p.options(func(o option) (err error) {
		switch o.name {
		case "count":
			if s.count, err = strconv.Atoi(o.value.text); err != nil || s.count < 1 || s.count > maxCount {
				return p.expected(o.value, "a number from 1 to %d", maxCount)
			}
			return nil
		case "over":
			s.over, err = p.duration(o.value, "a time", 0)
			return err
		case "fate":
			return choose(p, o.value, &s.outcome, "a fate", outcomes)
		}
		return p.expected(o.word, "count=, over= or fate=")
	})
}

func (p *parser) delivery(s *step, o option) (err error) {
	var d time.Duration
	switch o.name {
	case "hold":
		s.hold, err = p.duration(o.value, "a time", 0)
	case "repeat":
		d, err = p.duration(o.value, "a time", 0)
		s.repeats = append(s.repeats, d)
	case "break":
		err = choose(p, o.value, &s.wrong, "what is to be wrong", Breaks)
	default:
		err = p.expected(o.word, "hold=, repeat= or break=")
	}
	return err
}

type option struct {
	name  string
	word  word
	value word
}

func (p *parser) options(read func(option) error) error {
	for len(p.words) > 0 {
		w := p.next()
		name, value, ok := strings.Cut(w.text, "=")
		if !ok || name == "" {
			return p.expected(w, "a word of the form name=value")
		}
		o := option{name, w, word{value, w.column + utf8.RuneCountInString(name) + 1}}
		if value == "" {
			return p.expected(o.value, "a value behind %s=", name)
		}
		if err := read(o); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) duration(w word, what string, least time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(w.text)
	if err != nil || d < least || d > longest {
		return 0, p.expected(w, "%s, such as 3s, 250ms or 1m30s, and at most %v", what, longest)
	}
	return d, nil
}

func choose[T ~string](p *parser, w word, into *T, what string, from []T) error {
	if *into = T(w.text); slices.Contains(from, *into) {
		return nil
	}
	names := make([]string, len(from))
	for i, t := range from {
		names[i] = string(t)
	}
	return p.expected(w, "%s (%s or %s)", what, strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}
