package ui

import (
	"errors"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// filterLine is what the reader wants to see: a filter in words, typed in the
// last line, and the switch for failures only. It holds for all views.
type filterLine struct {
	input    textinput.Model
	open     bool // being typed
	filter   *model.Filter
	wrong    *model.FilterError // what is typed is no filter; the last good one holds
	failures bool
	looked   time.Time // when tasks were held against a filter that drifts
}

func (f *filterLine) set(filter *model.Filter) {
	f.input = textinput.New()
	f.filter, _ = model.ParseFilter("")
	if filter != nil {
		f.filter = filter
		f.input.SetValue(filter.String())
	}
}

// active reports whether anything is filtered out.
func (f *filterLine) active() bool { return f.failures || !f.filter.Empty() }

// asksBoard reports whether the filter asks for something about a delivery that
// others tell, such as is:late, so that what passes changes with them.
func (f *filterLine) asksBoard() bool {
	return strings.Contains(strings.ToLower(f.filter.String()), "is:")
}

// drifts reports whether tasks begin or cease to pass the filter without news:
// by time, as with is:stalled, or when names come to be known.
func (f *filterLine) drifts(m *Model) bool {
	return f.asksBoard() || m.opt.Names != nil && !f.filter.Empty()
}

func (f *filterLine) clear() {
	f.input.SetValue("")
	f.filter, _ = model.ParseFilter("")
	f.wrong, f.failures = nil, false
}

// typed hands a key or a paste to the filter that is being typed.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	f := &m.filter
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			if f.wrong != nil {
				return nil // its message stays; an older filter must not pass for this one
			}
			f.open = false
			f.input.Blur()
			return nil
		case "esc":
			f.open = false
			f.input.Blur()
			f.input.SetValue("")
			msg = nil
		case "ctrl+c":
			return tea.Quit
		}
	}
	if msg != nil {
		f.input, _ = f.input.Update(msg) // its command only blinks a cursor that is not drawn
	}
	filter, err := model.ParseFilter(f.input.Value())
	if f.wrong = nil; err != nil {
		errors.As(err, &f.wrong)
		return nil
	}
	if filter.String() != f.filter.String() {
		f.filter = filter
		m.tell(change{filter: true})
	}
	return nil
}

func (f *filterLine) keepTask(m *Model, t *model.Task) bool {
	if f.failures && !hasFailed(t) {
		return false
	}
	return f.filter.Empty() || f.filter.Match(&model.Subject{Task: t, Name: m.assetName(t), Now: m.at})
}

// tellsFailure reports whether a message tells that a task failed, or one of its
// features: Aspect may go on with the others.
func tellsFailure(a *arrival) bool {
	return a.Kind == model.Failure || a.Task != nil && slices.ContainsFunc(a.Task.Features, func(f model.Feature) bool { return f.State == model.Failed })
}

// keepRow reports whether a delivery passes. Its task must have been folded.
func (f *filterLine) keepRow(m *Model, a *arrival) bool {
	if a.Received.Before(m.opt.Since) || f.failures && !tellsFailure(a) {
		return false
	}
	if f.filter.Empty() {
		return true
	}
	s := model.Subject{Event: &a.Event, Duplicate: a.repeat(), Now: m.at}
	if a.Task != nil {
		if s.Task = m.board.Task(a.Task.ID); s.Task != nil {
			s.Name = m.assetName(s.Task)
			s.Late, _, _ = s.Task.Arrival(a.Seq)
		}
	}
	return f.filter.Match(&s)
}

func (f *filterLine) keepNote(m *Model, n *note) bool {
	if n.Rejected == nil {
		return !f.failures && f.filter.Empty()
	}
	return f.filter.Empty() || f.filter.Match(&model.Subject{Rejected: true, Rejection: n.Rejected, Now: m.at})
}
