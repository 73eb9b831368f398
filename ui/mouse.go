package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/keys"
)

// wheelRows is how far one notch of the wheel goes; a row of cards is high
// enough to be one notch.
const wheelRows = 3

func (m *Model) click(e tea.Mouse) {
	lay := m.layout()
	y := e.Y - 2 - lay.tabs
	if e.Button != tea.MouseLeft || m.help != nil || m.sheet != nil || m.detail != nil || y < 0 || y >= lay.body || e.X >= lay.main {
		return
	}
	m.views[m.view].Click(m.Screen, e.X, y)
}

func (m *Model) wheel(e tea.Mouse) tea.Cmd {
	a := keys.Down
	if e.Button == tea.MouseWheelUp {
		a = keys.Up
	}
	rows := wheelRows
	if m.view == viewBoard && m.detail == nil && m.help == nil {
		rows = 1
	}
	var cmds []tea.Cmd
	for range rows {
		cmds = append(cmds, m.act(a))
	}
	return tea.Batch(cmds...)
}
