package view

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// Tasks is the list of tasks: a row for each, in one of several orders.
type Tasks struct {
	by     feed.Sorting
	order  []int32    // the tasks that pass the filter
	own    feed.Order // of a filter, a sorting or a moment that is not everybody's
	rows   draw.Window
	h      int    // rows on screen
	id     string // of the selected task
	follow bool   // the selection stays on the first row

	// While following, the task that was selected before, and until when a key
	// still means that one: nobody reacts quicker.
	was   string
	until time.Time
}

// reaction is the time in which a reader cannot have seen that the selection
// has moved on.
const reaction = 300 * time.Millisecond

// NewTasks returns the list, with the first row selected.
func NewTasks() *Tasks { return &Tasks{follow: true} }

func (v *Tasks) Title() string { return "Tasks" }

func (v *Tasks) Has(*screen.Screen, keys.Action) bool { return true }

func (v *Tasks) Shown(*screen.Screen) int { return len(v.order) }

func (v *Tasks) InSight(*screen.Screen) []int64 { return nil }

func (v *Tasks) Preview(sc *screen.Screen, w, h int) []string {
	return look.Preview(sc, v.Selection(sc), w, h)
}

// Visible are the tasks on the screen and those below it, n at most.
func (v *Tasks) Visible(sc *screen.Screen, n int) []*model.Task {
	var tasks []*model.Task
	for i := v.rows.Top; i < min(v.rows.Top+n, len(v.order)); i++ {
		tasks = append(tasks, v.task(sc, i))
	}
	return tasks
}

func (v *Tasks) Changed(sc *screen.Screen, c screen.Change) {
	switch {
	case !sc.Filtered() && !sc.Frozen() && v.by == feed.ByNews:
		v.own, v.order = feed.Order{}, sc.Feed.ByNews()
	case c.Filter || c.All || v.own.Rows() == nil || v.own.By != v.by:
		v.own.By = v.by
		v.own.Rebuild(&sc.Board, sc.Keep)
		v.order = v.own.Rows()
	default:
		v.own.Update(&sc.Board, c.Tasks, sc.Keep)
		v.order = v.own.Rows()
	}
	v.hold(sc)
}

// hold keeps the selection on its task, or on the first row while following.
func (v *Tasks) hold(sc *screen.Screen) {
	n := len(v.order)
	t := sc.Board.Task(v.id)
	switch {
	case n == 0:
		v.rows.Set(0, 0, v.h)
		return
	case v.follow || t == nil:
		v.rows.Set(0, n, v.h)
	default:
		for i, row := range v.order {
			if int(row) == t.Index() {
				v.rows.Shift(i, n, v.h)
				return
			}
		}
		v.rows.Set(v.rows.Cursor, n, v.h) // it no longer passes the filter
	}
	if id := v.task(sc, v.rows.Cursor).ID(); id != v.id {
		v.was, v.until = v.id, sc.Now().Add(reaction)
		v.id = id
	}
}

// Meant is the task that a key means which is pressed now.
func (v *Tasks) Meant(sc *screen.Screen) *model.Task {
	if v.follow && sc.Now().Before(v.until) {
		if t := sc.Board.Task(v.was); t != nil {
			return t
		}
	}
	return v.Selection(sc).Task
}

func (v *Tasks) task(sc *screen.Screen, row int) *model.Task {
	return sc.Board.At(int(v.order[row]))
}

func (v *Tasks) Selection(sc *screen.Screen) screen.Selection {
	if len(v.order) == 0 {
		return screen.Selection{}
	}
	return screen.Selection{Task: v.task(sc, v.rows.Cursor)}
}

func (v *Tasks) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	n := len(v.order)
	switch a {
	case keys.Follow:
		v.follow = !v.follow
		sc.SayFollow(v.follow)
	case keys.Sort:
		v.by = (v.by + 1) % feed.Sortings
		v.Changed(sc, screen.Change{})
		sc.Say("sorted by " + v.by.String())
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(sc, a)
	case keys.Open:
		if n > 0 {
			sc.Open(v.Meant(sc), feed.RowKey{})
		}
	default:
		if !v.rows.Move(a, n, v.h) {
			return nil, false
		}
		v.moved(sc)
	}
	v.hold(sc)
	return nil, true
}

// moved notes that the reader chose a row: following would take it away.
func (v *Tasks) moved(sc *screen.Screen) {
	if len(v.order) == 0 {
		return
	}
	v.id, v.until = v.task(sc, v.rows.Cursor).ID(), time.Time{}
	if follow := v.rows.Cursor == 0 && v.follow; follow != v.follow {
		v.follow = follow
		sc.SayFollow(follow)
	}
}

func (v *Tasks) toFailure(sc *screen.Screen, a keys.Action) {
	n, step := len(v.order), 1
	if a == keys.PrevMatch {
		step = -1
	}
	for i := 1; i <= n; i++ {
		row := ((v.rows.Cursor+i*step)%n + n) % n
		if sc.NeedsLook(v.task(sc, row)) {
			v.rows.Set(row, n, v.h)
			v.moved(sc)
			return
		}
	}
	sc.Say("no failed or stalled task")
}

func (v *Tasks) Click(sc *screen.Screen, _, y int) bool {
	if row := v.rows.Top + y - 1; y > 0 && row < len(v.order) {
		v.rows.Set(row, len(v.order), v.h)
		v.moved(sc)
		return true
	}
	return false
}

func (v *Tasks) Arrange(_ *screen.Screen, _, h int) {
	v.h = max(1, h-1)
	v.rows.Set(v.rows.Cursor, len(v.order), v.h)
}

func (v *Tasks) Draw(sc *screen.Screen, w, h int) []string {
	if len(v.order) == 0 {
		return look.Empty(sc, false, w, h)
	}
	c := taskColumns(sc, w)
	lines := []string{c.head(sc, w)}
	for i := v.rows.Top; i < len(v.order) && len(lines) < h; i++ {
		lines = append(lines, c.row(sc, v.task(sc, i), w, i == v.rows.Cursor))
	}
	return draw.Tall(sc.Theme, lines, w, h)
}
