package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

type tickMsg time.Time

// tick wakes the screen when ages move on: once a second, or a little oftener
// while something moves.
func (m *Model) tick() tea.Cmd {
	d := time.Second
	if !m.ReducedMotion && m.Board.Count(model.Processing) > 0 {
		d = time.Second / 2
	}
	return tea.Tick(d, func(t time.Time) tea.Msg { return tickMsg(t) })
}

func (m *Model) ticked() tea.Cmd {
	m.Beat++
	if !m.Frozen() {
		m.At = m.Now()
	}
	m.lookForStalled()
	m.filterAgain()
	m.wantNames()
	return tea.Batch(m.tick(), m.notify())
}

// wantNames asks for the names of the assets in sight.
func (m *Model) wantNames() {
	if m.Names == nil {
		return
	}
	var assets []string
	for _, t := range m.tasks.Visible(m.Screen, 2*m.H) {
		assets = append(assets, t.AssetID())
	}
	if s := m.pointed(); s.Task != nil {
		assets = append(assets, s.Task.AssetID())
	}
	m.Names.Want(assets...)
}
