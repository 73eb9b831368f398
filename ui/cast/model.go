package cast

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
)

// model is the screen with a recorder that looks on.
type model struct {
	tea.Model
	recorder *Recorder
	w, h     int
}

// Model returns the screen, whose frames are recorded from now on. If it tells
// its theme, by a method ThemeName, the recording is made for that.
func (r *Recorder) Model(screen tea.Model) tea.Model { return &model{Model: screen, recorder: r} }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if size, ok := msg.(tea.WindowSizeMsg); ok {
		m.w, m.h = size.Width, size.Height
	}
	var cmd tea.Cmd
	m.Model, cmd = m.Model.Update(msg)
	return m, cmd
}

func (m *model) View() tea.View {
	v := m.Model.View()
	f := frame{text: draw.Redact(v.Content, m.recorder.Redact), w: m.w, h: m.h}
	if screen, ok := m.Model.(interface{ ThemeName() string }); ok {
		f.theme = screen.ThemeName()
	}
	m.recorder.frame(f)
	return v
}
