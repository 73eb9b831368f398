package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

// cover shows a sheet over the view, or over what is open.
func (m *Model) cover(s *screen.Sheet) {
	s.Text = draw.NewTextPane()
	m.sheet, m.help, m.filterLine.open = s, nil, false
}

func (m *Model) closeSheet() {
	if m.sheet != nil && m.sheet.Dropped != "" {
		m.say(m.sheet.Dropped)
	}
	m.sheet = nil
}

func (m *Model) doOnSheet(a keys.Action) (tea.Cmd, bool) {
	s := m.sheet
	if cmd, ok := s.Text.Do(a, m.say); ok {
		return cmd, true
	}
	switch a {
	case keys.Back, keys.Quit, keys.Left:
		m.closeSheet()
	case keys.Open:
		if s.Enter == nil {
			return nil, true
		}
		m.sheet = nil
		return s.Enter(), true
	case keys.Wrap:
		s.Text.Wrap = !s.Text.Wrap
	case keys.NextPane, keys.PrevPane: // there is one pane
	case keys.Replay, keys.Edit:
		if s.Enter == nil {
			return nil, false
		}
		m.say(s.Title())
	default:
		return nil, false
	}
	return nil, true
}

func (m *Model) arrangeSheet(w, h int) {
	m.sheet.Text.Replace(m.sheet.Content())
	m.sheet.Text.Arrange(w, max(1, h-1))
}

func (m *Model) drawSheet(w, h int) []string {
	s := m.sheet
	l := draw.NewLine(m.Theme, w)
	l.Selected = true
	l.Put(draw.Strong, " "+s.Title()+" ")
	l.Selected = false
	if p := s.Text.Place(); l.Free > len(p)+1 {
		l.Space(l.Free-len(p)).Put(draw.Dim, p)
	}
	return append([]string{l.String()}, s.Text.Draw(m.Theme, w, h-1)...)
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
		return &m.sheet.Text
	case m.detail != nil:
		return m.detail.Reader()
	}
	return nil
}
