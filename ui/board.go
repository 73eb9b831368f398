package ui

import tea "charm.land/bubbletea/v2"

// boardView shows a card for each task.
type boardView struct{ follow bool }

func (v *boardView) title() string                     { return "Board" }
func (v *boardView) changed(*Model, change)            {}
func (v *boardView) arrange(m *Model, w, h int)        {}
func (v *boardView) draw(m *Model, w, h int) []string  { return tall(m.th, nil, w, h) }
func (v *boardView) do(*Model, action) (tea.Cmd, bool) { return nil, false }
func (v *boardView) selection(*Model) selection        { return selection{} }
func (v *boardView) click(*Model, int, int)            {}
