package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/keys"
)

// sheet is a text that covers the view, or what is open over it, until it is
// closed: what Aspect tells of a message, or what an edit has changed.
type sheet struct {
	text    textPane
	title   func(m *Model) string
	content func(m *Model) *document // the same one as long as it has not changed
	enter   func(m *Model) tea.Cmd   // what enter does; nil: nothing
	dropped string                   // said when it is left in another way
}

func (m *Model) openSheet(s *sheet) {
	s.text = newTextPane()
	m.sheet, m.help, m.filter.open = s, nil, false
}

func (m *Model) closeSheet() {
	if m.sheet != nil && m.sheet.dropped != "" {
		m.say(m.sheet.dropped)
	}
	m.sheet = nil
}

func (s *sheet) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	if cmd, ok := s.text.do(m, a); ok {
		return cmd, true
	}
	switch a {
	case keys.Back, keys.Quit, keys.Left:
		m.closeSheet()
	case keys.Open:
		if s.enter == nil {
			return nil, true
		}
		m.sheet = nil
		return s.enter(m), true
	case keys.Wrap:
		s.text.wrap = !s.text.wrap
	case keys.NextPane, keys.PrevPane: // there is one pane
	case keys.Replay, keys.Edit:
		if s.enter == nil {
			return nil, false
		}
		m.say(s.title(m))
	default:
		return nil, false
	}
	return nil, true
}

func (s *sheet) arrange(m *Model, w, h int) {
	s.text.replace(s.content(m))
	s.text.arrange(w, max(1, h-1))
}

func (s *sheet) draw(m *Model, w, h int) []string {
	l := newLine(m.th, w)
	l.selected = true
	l.put(strong, " "+s.title(m)+" ")
	l.selected = false
	if p := s.text.place(); l.free > len(p)+1 {
		l.space(l.free-len(p)).put(dim, p)
	}
	return append([]string{l.String()}, s.text.draw(m, w, h-1)...)
}
