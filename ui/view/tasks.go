package view

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
)

// Tasks is the list of tasks: a row for each, in one of several orders. A task's
// key is its place in the board, which never changes.
type Tasks struct {
	list[int32]
	by  feed.Sorting
	own feed.Order // of a filter, a sorting or a moment that is not everybody's
}

// NewTasks returns the list, with the first row selected.
func NewTasks() *Tasks {
	return &Tasks{list: list[int32]{
		rows: keysOf[int32](nil), follow: true, none: "no failed or stalled task",
		failed: func(sc *screen.Screen, i int32) (failed, known bool) {
			return sc.NeedsAttention(sc.Board.At(int(i))), true
		},
	}}
}

func (v *Tasks) Has(*screen.Screen, keys.Action) bool { return true }

func (v *Tasks) InSight(*screen.Screen) []int64 { return nil }

func (v *Tasks) Preview(sc *screen.Screen, w, h int) []string {
	return render.Preview(sc, v.Selection(sc, false), w, h)
}

// Visible are the tasks on the screen and those below it, n at most.
func (v *Tasks) Visible(sc *screen.Screen, n int) []*model.Task {
	var tasks []*model.Task
	for i := v.Top; i < min(v.Top+n, v.rows.Len()); i++ {
		tasks = append(tasks, v.task(sc, i))
	}
	return tasks
}

func (v *Tasks) Changed(sc *screen.Screen, c screen.Change) {
	var order []int32
	switch {
	case !sc.Filtered() && !sc.Frozen() && v.by == feed.ByNews:
		v.own, order = feed.Order{}, sc.Feed.ByNews()
	case c.Filter || c.All || v.own.Rows() == nil || v.own.By != v.by:
		v.own.By = v.by
		v.own.Rebuild(&sc.Board, sc.Keep)
		order = v.own.Rows()
	default:
		v.own.Update(&sc.Board, c.Tasks, sc.Keep)
		order = v.own.Rows()
	}
	v.rows = keysOf[int32](order)
	v.hold(sc)
}

func (v *Tasks) task(sc *screen.Screen, row int) *model.Task {
	return sc.Board.At(int(v.rows.At(row)))
}

func (v *Tasks) Selection(sc *screen.Screen, target bool) screen.Selection {
	i, ok := v.selected(sc, target)
	if !ok {
		return screen.Selection{}
	}
	return screen.Selection{Task: sc.Board.At(int(i))}
}

func (v *Tasks) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Sort:
		v.by = (v.by + 1) % feed.Sortings
		v.Changed(sc, screen.Change{})
		sc.Say("sorted by " + v.by.String())
	case keys.Open:
		if t := v.Selection(sc, true).Task; t != nil {
			sc.Open(t, feed.RowKey{})
		}
	default:
		return nil, v.do(sc, a)
	}
	return nil, true
}

func (v *Tasks) Arrange(sc *screen.Screen, _, h int) { v.arrange(sc, h, 1) }

func (v *Tasks) Draw(sc *screen.Screen, w, h int) []string {
	if v.rows.Len() == 0 {
		return render.Empty(sc, false, w, h)
	}
	table := taskTable(sc, w)
	return draw.PadHeight(sc.Theme, v.drawRows([]string{table.Head(sc.Theme, w)}, h, func(i int32, selected bool) string {
		t := sc.Board.At(int(i))
		_, stalled := sc.Board.Stalled(t, sc.At)
		return table.Row(sc.Theme, w, taskRow{t, stalled}, selected)
	}), w, h)
}
