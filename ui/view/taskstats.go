package view

import (
	"fmt"
	"strconv"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

// drawTaskStates draws how many tasks are in each state.
func drawTaskStates(sc *screen.Screen, n *tally, w int) []string {
	total := n.tasks
	if n.stats == nil {
		total = sc.Board.Len()
	}
	note := draw.Count(total, "task", "tasks")
	lines := []string{draw.Rule(sc.Theme, "Tasks", note, w)}
	bar := w - 13 - 1 - 6 - 5
	for _, s := range []model.State{model.Processing, model.Queued, model.Completed, model.Failed, model.Cancelled} {
		in := n.in(sc, s)
		r := draw.StateRole(s)
		if in == 0 {
			r = draw.Dim
		}
		l := draw.NewLine(sc.Theme, w).Cell(r, draw.Glyph(s)+" "+draw.Word(s), 13)
		l.Bar(r, int64(in), int64(total), bar).Space(1)
		lines = append(lines, l.Right(draw.Plain, strconv.Itoa(in), 6).Right(draw.Dim, draw.Percent(in, total), 5).String())
	}
	completed, failed := n.in(sc, model.Completed), n.in(sc, model.Failed)
	l := draw.NewLine(sc.Theme, w)
	if ended := completed + failed; ended > 0 {
		l.Put(draw.Plain, draw.Percent(completed, ended)).Put(draw.Dim, fmt.Sprintf(" success: %d of %d", completed, ended))
	} else {
		l.Put(draw.Dim, "no task has completed or failed yet")
	}
	return append(lines, l.String())
}

// taskLine draws one of the tasks that stand out: which one, and how long.
func taskLine(sc *screen.Screen, t *model.Task, told string, r draw.Role, selected bool, w int) string {
	l := draw.NewLine(sc.Theme, w)
	if l.Selected = selected; selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	s := t.State()
	l.Put(draw.StateRole(s), draw.Glyph(s)+" ")
	l.Cell(draw.Plain, draw.Short(t.ID(), 8), 9)
	l.Cell(draw.Dim, sc.AssetName(t), l.Free-len(told)-1).Space(1)
	return l.Right(r, told, len(told)).String()
}
