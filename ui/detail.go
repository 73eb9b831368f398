package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// detail is what is open over a view: a task, or a row of the log that belongs
// to none.
type detail struct {
	task string
	row  rowKey
}

func (m *Model) openTask(t *model.Task, row rowKey) {
	m.detail = &detail{row: row}
	if t != nil {
		m.detail.task = t.ID()
	}
}

// payloadMsg brings the delivery that is looked at.
type payloadMsg struct {
	delivery model.Delivery
	err      error
}

func (d *detail) payloadRead(m *Model, msg payloadMsg) {}

func (d *detail) arrange(m *Model, w, h int) {}

func (d *detail) inSight(m *Model) []int64 { return nil }

func (d *detail) do(m *Model, a action) (tea.Cmd, bool) { return nil, false }

func (d *detail) draw(m *Model, w, h int) []string {
	var lines []string
	if t := m.board.Task(d.task); t != nil {
		lines = m.drawFacts(t, w)
	}
	return tall(m.th, lines, w, h)
}

// drawFacts lists a task's facts and its features.
func (m *Model) drawFacts(t *model.Task, w int) []string {
	var lines []string
	fact := func(name, value string) {
		lines = append(lines, newLine(m.th, w).cell(dim, name, 14).put(plain, value).String())
	}
	fact("task", t.ID())
	fact("asset", t.AssetID())
	fact("user", m.userID(t))
	for _, f := range t.Features() {
		l := newLine(m.th, w).cell(plain, f.Name, 14)
		m.putFeature(l, t, f.Name, 20)
		lines = append(lines, l.String())
	}
	return lines
}

// drawPreview shows what is selected beside or below the list.
func (m *Model) drawPreview(w, h int, right bool) []string {
	s := m.views[m.view].selection(m)
	var lines []string
	if s.task != nil {
		lines = m.drawFacts(s.task, w-2)
	}
	lines = tall(m.th, lines, w-2, h)
	for i := range lines {
		lines[i] = newLine(m.th, 2).put(faint, glyphWall).String() + lines[i]
	}
	return lines
}

func (d *detail) selection(m *Model) selection { return selection{task: m.board.Task(d.task), row: d.row} }
