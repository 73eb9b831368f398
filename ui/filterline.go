package ui

import (
	"errors"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/screen"
)

// filterLine is where the filter is typed, in the last line.
type filterLine struct {
	input   textinput.Model
	open    bool               // being typed
	wrong   *model.FilterError // what is typed is no filter; the last good one holds
	before  string             // what the filter was when typing began
	matched time.Time          // when tasks were last matched against a filter that drifts
}

func (f *filterLine) set(filter *model.Filter) {
	f.input = textinput.New()
	f.input.SetValue(filter.String())
}

// clearFilter lets everything pass.
func (m *Model) clearFilter() {
	m.filterLine.input.SetValue("")
	m.filterLine.wrong = nil
	m.Filter.Clear()
	m.changed(screen.Change{Filter: true})
}

// typed hands a key or a paste to the filter that is being typed.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	f := &m.filterLine
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			if _, err := model.ParseFilter(f.input.Value()); errors.As(err, &f.wrong) {
				return nil // its message stays; an older filter must not pass for this one
			}
			f.open = false
			f.input.Blur()
			return nil
		case "esc":
			f.open = false
			f.input.Blur()
			f.input.SetValue(f.before)
			msg = nil
		case "ctrl+c":
			return tea.Quit
		}
	}
	if msg != nil {
		f.input, _ = f.input.Update(msg) // its command only blinks a cursor that is not drawn
	}
	filter, err := model.ParseFilter(f.input.Value())
	if f.wrong = nil; errors.As(err, &f.wrong) && !f.wrong.Unfinished {
		return nil
	}
	f.wrong = nil // what is still being typed is not wrong
	if filter.String() != m.Filter.Words.String() {
		m.Filter.Words = filter
		m.changed(screen.Change{Filter: true})
	}
	return nil
}

// filterEvery is how often all tasks are matched against a filter that drifts.
const filterEvery = 5 * time.Second

// filterAgain matches all tasks again, if it is time.
func (m *Model) filterAgain() {
	if f := &m.filterLine; !m.Frozen() && m.Drifts() && m.At.Sub(f.matched) >= filterEvery {
		f.matched = m.At
		m.tasks.Changed(m.Screen, screen.Change{All: true})
	}
}
