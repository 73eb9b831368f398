package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

// showOverlay shows a text over the view, or over what is open.
func (m *Model) showOverlay(s *screen.Overlay) {
	s.Text = draw.NewTextPane()
	m.overlay, m.help, m.filterLine.open = s, nil, false
}

func (m *Model) closeOverlay() {
	if m.overlay != nil && m.overlay.Dropped != "" {
		m.say(m.overlay.Dropped)
	}
	m.overlay = nil
}

func (m *Model) doOnOverlay(a keys.Action) (tea.Cmd, bool) {
	s := m.overlay
	if cmd, ok := s.Text.Do(a, m.say); ok {
		return cmd, true
	}
	switch a {
	case keys.Back, keys.Quit, keys.Left:
		m.closeOverlay()
	case keys.Open:
		if s.Enter == nil {
			return nil, true
		}
		m.overlay = nil
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

func (m *Model) arrangeOverlay(w, h int) {
	m.overlay.Text.Replace(m.overlay.Content())
	m.overlay.Text.Arrange(w, max(1, h-1))
}

func (m *Model) drawOverlay(w, h int) []string {
	s := m.overlay
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

// reader is the open text, or nil.
func (m *Model) reader() *draw.TextPane {
	switch {
	case m.overlay != nil:
		return &m.overlay.Text
	case m.detail != nil:
		return m.detail.Reader()
	}
	return nil
}
