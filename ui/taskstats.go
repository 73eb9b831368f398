package ui

import (
	"fmt"
	"strconv"

	"aspectop/model"
)

// drawTaskStates draws how many tasks are in each state.
func (m *Model) drawTaskStates(n *tally, w int) []string {
	total := n.tasks
	if n.stats == nil {
		total = m.board.Len()
	}
	note := count(total, "task", "tasks")
	lines := []string{m.drawRule("Tasks", note, w)}
	bar := w - 13 - 1 - 6 - 5
	for _, s := range []model.State{model.Processing, model.Queued, model.Completed, model.Failed, model.Cancelled} {
		in := n.in(m, s)
		r := stateRole(s)
		if in == 0 {
			r = dim
		}
		l := newLine(m.th, w).cell(r, glyph(s)+" "+word(s), 13)
		l.bar(r, int64(in), int64(total), bar).space(1)
		lines = append(lines, l.right(plain, strconv.Itoa(in), 6).right(dim, percent(in, total), 5).String())
	}
	completed, failed := n.in(m, model.Completed), n.in(m, model.Failed)
	l := newLine(m.th, w)
	if ended := completed + failed; ended > 0 {
		l.put(plain, percent(completed, ended)).put(dim, fmt.Sprintf(" success: %d of %d", completed, ended))
	} else {
		l.put(dim, "none has completed or failed yet")
	}
	return append(lines, l.String())
}

// taskLine draws one of the tasks that stand out: which one, and how long.
func (m *Model) taskLine(t *model.Task, told string, r role, selected bool, w int) string {
	l := newLine(m.th, w)
	if l.selected = selected; selected {
		l.put(accent, glyphCursor)
	}
	l.to(2)
	s := t.State()
	l.put(stateRole(s), glyph(s)+" ")
	l.cell(plain, short(t.ID(), 8), 9)
	l.cell(dim, m.assetName(t), l.free-len(told)-1).space(1)
	return l.right(r, told, len(told)).String()
}
