package ui

import tea "charm.land/bubbletea/v2"

// deliveriesView is the place of what Aspect's API says of its messages and the
// attempts to deliver them. There is no client of that API yet, so it says what
// will be here and where to look meanwhile.
type deliveriesView struct{}

func (v *deliveriesView) title() string                     { return "Deliveries" }
func (v *deliveriesView) changed(*Model, change)            {}
func (v *deliveriesView) arrange(*Model, int, int)          {}
func (v *deliveriesView) do(*Model, action) (tea.Cmd, bool) { return nil, false }
func (v *deliveriesView) selection(*Model) selection        { return selection{} }
func (v *deliveriesView) click(*Model, int, int)            {}

func (v *deliveriesView) draw(m *Model, w, h int) []string {
	var lines []string
	say := func(r role, s string) { lines = append(lines, newLine(m.th, w).space(2).put(r, s).String()) }
	if h > 7 {
		say(plain, "")
	}
	say(plain, "What Aspect says it sent.")
	say(dim, "Messages and delivery attempts from")
	say(dim, "Aspect's API, each beside what came")
	say(dim, "here. That takes an API key, and this")
	say(dim, "version has no API client yet.")
	say(dim, "")
	lines = append(lines, newLine(m.th, w).space(2).put(accent, "3").put(dim, " shows every delivery that came here.").String())
	return tall(m.th, lines, w, h)
}
