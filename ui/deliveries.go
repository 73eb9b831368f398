package ui

import tea "charm.land/bubbletea/v2"

// deliveriesView shows a card for each task.
type deliveriesView struct{}

func (v *deliveriesView) title() string                     { return "Deliveries" }
func (v *deliveriesView) changed(*Model, change)            {}
func (v *deliveriesView) arrange(m *Model, w, h int)        {}
func (v *deliveriesView) draw(m *Model, w, h int) []string  { return tall(m.th, nil, w, h) }
func (v *deliveriesView) do(*Model, action) (tea.Cmd, bool) { return nil, false }
func (v *deliveriesView) selection(*Model) selection        { return selection{} }
func (v *deliveriesView) click(*Model, int, int)            {}
