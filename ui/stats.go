package ui

import tea "charm.land/bubbletea/v2"

// statsView shows a card for each task.
type statsView struct{}

func (v *statsView) title() string                     { return "Stats" }
func (v *statsView) changed(*Model, change)            {}
func (v *statsView) arrange(m *Model, w, h int)        {}
func (v *statsView) draw(m *Model, w, h int) []string  { return tall(m.th, nil, w, h) }
func (v *statsView) do(*Model, action) (tea.Cmd, bool) { return nil, false }
func (v *statsView) selection(*Model) selection        { return selection{} }
func (v *statsView) click(*Model, int, int)            {}
