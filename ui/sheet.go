package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// sheet is a text that covers the view, or what is open over it, until it is
// closed: what Aspect tells of a message, or what an edit has changed.
type sheet struct {
	text    draw.TextPane
	title   func(m *Model) string
	content func(m *Model) *draw.Document // the same one as long as it has not changed
	enter   func(m *Model) tea.Cmd        // what enter does; nil: nothing
	dropped string                        // said when it is left in another way
}

func (m *Model) openSheet(s *sheet) {
	s.text = draw.NewTextPane()
	m.sheet, m.help, m.filter.open = s, nil, false
}

func (m *Model) closeSheet() {
	if m.sheet != nil && m.sheet.dropped != "" {
		m.say(m.sheet.dropped)
	}
	m.sheet = nil
}

func (s *sheet) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	if cmd, ok := s.text.Do(a, m.say); ok {
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
		s.text.Wrap = !s.text.Wrap
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
	s.text.Replace(s.content(m))
	s.text.Arrange(w, max(1, h-1))
}

func (s *sheet) draw(m *Model, w, h int) []string {
	l := draw.NewLine(m.th, w)
	l.Selected = true
	l.Put(draw.Strong, " "+s.title(m)+" ")
	l.Selected = false
	if p := s.text.Place(); l.Free > len(p)+1 {
		l.Space(l.Free-len(p)).Put(draw.Dim, p)
	}
	return append([]string{l.String()}, s.text.Draw(m.th, w, h-1)...)
}

// searching reports whether a word to search for is being typed.
func (m *Model) searching() bool {
	p := m.reader()
	return m.help == nil && p != nil && p.Searching()
}

// reader is the text that is open, or nil.
func (m *Model) reader() *draw.TextPane {
	switch {
	case m.sheet != nil:
		return &m.sheet.text
	case m.detail != nil:
		return m.detail.reader()
	}
	return nil
}
