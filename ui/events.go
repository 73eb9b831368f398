package ui

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// eventsView is the log: every delivery and every refusal, newest at the end.
type eventsView struct {
	rows   draw.Window
	h      int
	key    rowKey // of the selected row
	line   int    // where on the screen it is
	follow bool   // the selection stays on the last row
	queues []Queue
}

func (v *eventsView) title() string { return "Events" }

func (v *eventsView) changed(m *Model, c change) {
	if c.filter {
		m.log.refilter(m)
	}
	v.hold(m)
}

// hold keeps the selection on its row, or on the last one while following. A row
// that the scan for a filter has not come to yet is waited for: it is selected
// again, in its place on the screen, as soon as it passes.
func (v *eventsView) hold(m *Model) {
	n := m.log.len()
	if n == 0 {
		v.rows.Set(0, 0, v.h)
		return
	}
	if v.follow {
		v.rows.Set(n-1, n, v.h)
	} else {
		i := min(m.log.find(v.key), n-1)
		v.rows = draw.Window{Cursor: i, Top: i - v.line}
		v.rows.Set(i, n, v.h)
		if m.log.at(i) != v.key && m.log.looking(m) {
			return
		}
	}
	v.settle(m)
}

// settle notes the row that the cursor is on.
func (v *eventsView) settle(m *Model) {
	v.key, v.line = m.log.at(v.rows.Cursor), v.rows.Cursor-v.rows.Top
}

func (v *eventsView) selection(m *Model) selection {
	if m.log.len() == 0 {
		return selection{}
	}
	s := selection{row: m.log.at(v.rows.Cursor)}
	if a := m.log.rows[s.row.seq]; s.row.pos == 0 && a != nil && a.Task != nil {
		s.task = m.board.Task(a.Task.ID)
	}
	return s
}

func (v *eventsView) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Follow:
		v.follow = !v.follow
		m.sayFollow(v.follow)
	case keys.Open:
		if s := v.selection(m); m.log.len() > 0 {
			m.openTask(s.task, s.row)
		}
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(m, a)
	default:
		if !v.rows.Move(a, m.log.len(), v.h) {
			return nil, false
		}
		v.moved(m)
	}
	v.hold(m)
	return nil, true
}

func (v *eventsView) moved(m *Model) {
	n := m.log.len()
	if n == 0 {
		return
	}
	v.settle(m)
	if follow := v.rows.Cursor == n-1; follow != v.follow {
		v.follow = follow
		m.sayFollow(follow)
	}
}

// toFailure goes to the next row at hand that tells a failure or a refusal.
func (v *eventsView) toFailure(m *Model, a keys.Action) {
	step := 1
	if a == keys.PrevMatch {
		step = -1
	}
	n := m.log.len()
	for i := v.rows.Cursor + step; i >= 0 && i < n; i += step {
		k := m.log.at(i)
		if k.pos == 0 && m.log.rows[k.seq] == nil {
			break // not at hand: the filter ! finds them all
		}
		if m.rowFailed(k) {
			v.rows.Set(i, n, v.h)
			v.moved(m)
			return
		}
	}
	m.say("no failure near; ! shows all failures")
}

func (m *Model) rowFailed(k rowKey) bool {
	if k.pos > 0 {
		s := m.log.status(k)
		return s != nil && s.Rejected != nil
	}
	a := m.log.rows[k.seq]
	return a != nil && tellsFailure(a)
}

func (v *eventsView) click(m *Model, _, y int) {
	if row := v.rows.Top + y - 1; y > 0 && row < m.log.len() {
		v.rows.Set(row, m.log.len(), v.h)
		v.moved(m)
	}
}

// inSight are the deliveries whose rows the log shows, with a page around them.
func (v *eventsView) inSight(m *Model) []int64 {
	var seqs []int64
	n := m.log.len()
	for i := max(0, v.rows.Top-v.h); i < min(n, v.rows.Top+2*v.h); i++ {
		if k := m.log.at(i); k.pos == 0 {
			seqs = append(seqs, k.seq)
		}
	}
	return seqs
}

func (v *eventsView) arrange(m *Model, _, h int) {
	if m.opt.Queues != nil && m.frozen == nil {
		v.queues = m.opt.Queues()
	}
	if rows := max(1, h-1-queueLines(v.queues, h)); rows != v.h {
		v.h = rows
		v.hold(m)
	}
}

func (v *eventsView) draw(m *Model, w, h int) []string {
	below := m.drawQueues(v.queues, w, queueLines(v.queues, h))
	h -= len(below)
	n := m.log.len()
	if n == 0 {
		return append(m.drawEmpty(w, h), below...)
	}
	c := eventColumns(w)
	lines := []string{c.head(m, w)}
	for i := v.rows.Top; i < n && len(lines) < h; i++ {
		lines = append(lines, c.row(m, m.log.at(i), w, i == v.rows.Cursor))
	}
	return append(draw.Tall(m.th, lines, w, h), below...)
}
