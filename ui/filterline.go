package ui

import (
	"errors"
	"strings"

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

// keepRow reports whether a delivery passes. Its task must have been folded.
func (f *filterLine) keepRow(m *Model, a *arrival) bool {
	if a.Received.Before(m.opt.Since) || f.failures && a.Kind != model.Failure {
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
