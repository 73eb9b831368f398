package ui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// tasksView is the list of tasks: a row for each, in one of several orders.
type tasksView struct {
	order  taskOrder
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

func (v *tasksView) title() string { return "Tasks" }

func (v *tasksView) changed(m *Model, c change) {
	if c.filter || c.all {
		v.order.rebuild(m.board, m.keep)
	} else {
		v.order.update(m.board, c.tasks, m.keep)
	}
	v.hold(m)
}

// hold keeps the selection on its task, or on the first row while following.
func (v *tasksView) hold(m *Model) {
	n := len(v.order.rows)
	t := m.board.Task(v.id)
	switch {
	case n == 0:
		v.rows.Set(0, 0, v.h)
		return
	case v.follow || t == nil:
		v.rows.Set(0, n, v.h)
	default:
		for i, row := range v.order.rows {
			if int(row) == t.Index() {
				v.rows.Shift(i, n, v.h)
				return
			}
		}
		v.rows.Set(v.rows.Cursor, n, v.h) // it no longer passes the filter
	}
	if id := v.task(m, v.rows.Cursor).ID(); id != v.id {
		v.was, v.until = v.id, m.opt.Now().Add(reaction)
		v.id = id
	}
}

// meant is the task that a key means which is pressed now.
func (v *tasksView) meant(m *Model) *model.Task {
	if v.follow && m.opt.Now().Before(v.until) {
		if t := m.board.Task(v.was); t != nil {
			return t
		}
	}
	return v.selection(m).task
}

func (v *tasksView) task(m *Model, row int) *model.Task { return m.board.At(int(v.order.rows[row])) }

func (v *tasksView) selection(m *Model) selection {
	if len(v.order.rows) == 0 {
		return selection{}
	}
	return selection{task: v.task(m, v.rows.Cursor)}
}

func (v *tasksView) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	n := len(v.order.rows)
	switch a {
	case keys.Follow:
		v.follow = !v.follow
		m.sayFollow(v.follow)
	case keys.Sort:
		v.order.by = (v.order.by + 1) % sortings
		v.order.rebuild(m.board, m.keep)
		m.say("sorted by " + v.order.by.String())
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(m, a)
	case keys.Open:
		if n > 0 {
			m.openTask(v.meant(m), rowKey{})
		}
	default:
		if !v.rows.Move(a, n, v.h) {
			return nil, false
		}
		v.moved(m)
	}
	v.hold(m)
	return nil, true
}

// moved notes that the reader chose a row: following would take it away.
func (v *tasksView) moved(m *Model) {
	if len(v.order.rows) == 0 {
		return
	}
	v.id, v.until = v.task(m, v.rows.Cursor).ID(), time.Time{}
	if follow := v.rows.Cursor == 0 && v.follow; follow != v.follow {
		v.follow = follow
		m.sayFollow(follow)
	}
}

func (v *tasksView) toFailure(m *Model, a keys.Action) {
	n, step := len(v.order.rows), 1
	if a == keys.PrevMatch {
		step = -1
	}
	for i := 1; i <= n; i++ {
		row := ((v.rows.Cursor+i*step)%n + n) % n
		if hasFailed(v.task(m, row)) {
			v.rows.Set(row, n, v.h)
			v.moved(m)
			return
		}
	}
	m.say("no failure in sight")
}

// hasFailed reports whether the task or one of its features is failed.
func hasFailed(t *model.Task) bool {
	if t.State() == model.Failed {
		return true
	}
	for _, f := range t.Features() {
		if f.State == model.Failed {
			return true
		}
	}
	return false
}

func (v *tasksView) click(m *Model, _, y int) {
	if row := v.rows.Top + y - 1; y > 0 && row < len(v.order.rows) {
		v.rows.Set(row, len(v.order.rows), v.h)
		v.moved(m)
	}
}

func (v *tasksView) arrange(_ *Model, _, h int) {
	v.h = max(1, h-1)
	v.rows.Set(v.rows.Cursor, len(v.order.rows), v.h)
}

func (v *tasksView) draw(m *Model, w, h int) []string {
	if len(v.order.rows) == 0 {
		return m.drawEmpty(w, h)
	}
	c := m.taskColumns(w)
	lines := []string{c.head(m, w)}
	for i := v.rows.Top; i < len(v.order.rows) && len(lines) < h; i++ {
		lines = append(lines, c.row(m, v.task(m, i), w, i == v.rows.Cursor))
	}
	return draw.Tall(m.th, lines, w, h)
}
