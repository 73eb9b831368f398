package ui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// eventsView is the log: every delivery and every refusal, newest at the end.
type eventsView struct {
	rows   window
	h      int
	key    rowKey // of the selected row
	follow bool   // the selection stays on the last row
}

func (v *eventsView) title() string { return "Events" }

func (v *eventsView) changed(m *Model, c change) {
	if c.filter {
		m.log.refilter(m)
	}
	v.hold(m)
}

// hold keeps the selection on its row, or on the last one while following.
func (v *eventsView) hold(m *Model) {
	n := m.log.len()
	switch {
	case n == 0:
		v.rows.set(0, 0, v.h)
		return
	case v.follow:
		v.rows.set(n-1, n, v.h)
	default:
		v.rows.shift(min(m.log.find(v.key), n-1), n, v.h)
	}
	v.key = m.log.at(v.rows.cursor)
}

func (v *eventsView) selection(m *Model) selection {
	if m.log.len() == 0 {
		return selection{}
	}
	s := selection{row: v.key}
	if a := m.log.rows[v.key.seq]; v.key.pos == 0 && a != nil && a.Task != nil {
		s.task = m.board.Task(a.Task.ID)
	}
	return s
}

func (v *eventsView) do(m *Model, a action) (tea.Cmd, bool) {
	switch a {
	case actFollow:
		v.follow = !v.follow
		m.sayFollow(v.follow)
	case actOpen:
		if s := v.selection(m); m.log.len() > 0 {
			m.openTask(s.task, s.row)
		}
	case actNextMatch, actPrevMatch:
		v.toFailure(m, a)
	default:
		if !v.rows.move(a, m.log.len(), v.h) {
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
	v.key = m.log.at(v.rows.cursor)
	if follow := v.rows.cursor == n-1; follow != v.follow {
		v.follow = follow
		m.sayFollow(follow)
	}
}

// toFailure goes to the next row at hand that tells a failure or a refusal.
func (v *eventsView) toFailure(m *Model, a action) {
	step := 1
	if a == actPrevMatch {
		step = -1
	}
	n := m.log.len()
	for i := v.rows.cursor + step; i >= 0 && i < n; i += step {
		k := m.log.at(i)
		if k.pos == 0 && m.log.rows[k.seq] == nil {
			break // not at hand: the filter ! finds them all
		}
		if m.rowFailed(k) {
			v.rows.set(i, n, v.h)
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
	return a != nil && a.Kind == model.Failure
}

func (v *eventsView) click(m *Model, _, y int) {
	if row := v.rows.top + y - 1; y > 0 && row < m.log.len() {
		v.rows.set(row, m.log.len(), v.h)
		v.moved(m)
	}
}

// inSight are the deliveries whose rows the log shows, with a page around them.
func (v *eventsView) inSight(m *Model) []int64 {
	var seqs []int64
	n := m.log.len()
	for i := max(0, v.rows.top-v.h); i < min(n, v.rows.top+2*v.h); i++ {
		if k := m.log.at(i); k.pos == 0 {
			seqs = append(seqs, k.seq)
		}
	}
	return seqs
}

func (v *eventsView) arrange(m *Model, _, h int) {
	if h != v.h+1 {
		v.h = max(1, h-1)
		v.hold(m)
	}
}

func (v *eventsView) draw(m *Model, w, h int) []string {
	n := m.log.len()
	if n == 0 {
		return m.drawEmpty(w, h)
	}
	c := eventColumns(w)
	lines := []string{c.head(m, w)}
	for i := v.rows.top; i < n && len(lines) < h; i++ {
		lines = append(lines, c.row(m, m.log.at(i), w, i == v.rows.cursor))
	}
	return tall(m.th, lines, w, h)
}

// eventCols is the layout of the log, 0 for a column that had to give way.
type eventCols struct {
	seq, verdict, kind, task int
}

func eventColumns(w int) eventCols {
	c := eventCols{seq: 8, verdict: 11, kind: 16, task: 10}
	used := func() int { return 2 + clockWidth + 1 + c.seq + c.verdict + c.kind + c.task + 20 }
	for _, giveWay := range []*int{&c.seq, &c.verdict, &c.task, &c.kind} {
		if used() > w {
			*giveWay = 0
		}
	}
	return c
}

func (c *eventCols) head(m *Model, w int) string {
	l := newLine(m.th, w).space(2).cell(dim, "TIME", clockWidth).space(1)
	for _, col := range []struct {
		name string
		w    int
	}{{"#", c.seq}, {"VERDICT", c.verdict}, {"TYPE", c.kind}, {"TASK", c.task}} {
		if col.w > 0 {
			l.cell(dim, col.name, col.w-1).space(1)
		}
	}
	return l.put(dim, "WHAT CHANGED").String()
}

func (c *eventCols) row(m *Model, k rowKey, w int, selected bool) string {
	l := newLine(m.th, w)
	l.selected = selected
	if selected {
		l.put(accent, glyphCursor)
	}
	l.to(2)
	if k.pos > 0 {
		c.statusRow(m, l, m.log.status(k))
		return l.String()
	}
	a := m.log.rows[k.seq]
	if a == nil {
		return l.put(faint, glyphEllipsis).String()
	}
	e := m.explain(a)
	l.put(dim, clock(a.Received)).space(1)
	if c.seq > 0 {
		l.right(faint, fmt.Sprint(a.Seq), c.seq-1).space(1)
	}
	if c.verdict > 0 {
		l.cell(good, e.verdict, c.verdict-1).space(1)
	}
	if c.kind > 0 {
		l.cell(e.role, a.Type, c.kind-1).space(1)
	}
	if c.task > 0 {
		id := ""
		if a.Task != nil {
			id = short(a.Task.ID, c.task-1)
		}
		l.cell(plain, id, c.task-1).space(1)
	}
	for _, mark := range e.marks {
		l.put(warn, mark).space(1)
	}
	m.putForwards(l, a.Seq)
	m.putChanges(l, e.changes)
	if e.text != "" {
		l.put(dim, e.text)
	}
	return l.String()
}

// putForwards draws what the user's handlers answered.
func (m *Model) putForwards(l *line, seq int64) {
	for _, f := range m.forwards[seq] {
		switch {
		case f.Delivered():
			l.put(good, fmt.Sprintf("%s%d %dms", glyphArrow, f.Status, f.Latency.Milliseconds()))
		case f.GaveUp:
			l.put(bad, glyphArrow+"gave up: "+f.Error)
		case f.Final:
			l.put(bad, glyphArrow+f.Error)
		default:
			l.put(warn, fmt.Sprintf("%stry %d: %s", glyphArrow, f.Tries, f.Error))
		}
		l.put(plain, " ")
	}
}

// putTunnel draws a change of the tunnel as a sentence.
func (m *Model) putTunnel(l *line, t *model.Tunnel) {
	r := warn
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		r = bad
	case t.State == model.TunnelConnected:
		r = good
	}
	l.put(r, "tunnel "+string(t.State))
	if t.PublicURL != "" {
		l.put(dim, " at ").put(plain, m.shown(t.PublicURL))
	}
	if t.Detail != "" {
		l.put(dim, ": "+t.Detail)
	}
	if t.Probe != nil && !t.Probe.OK {
		l.put(bad, "; probe failed: "+t.Probe.Detail)
	}
}

func (c *eventCols) statusRow(m *Model, l *line, s *model.Status) {
	if s == nil {
		return
	}
	l.put(dim, clock(s.At)).space(1)
	if c.seq > 0 {
		l.space(c.seq)
	}
	switch {
	case s.Tunnel != nil:
		m.putTunnel(l, s.Tunnel)
		return
	case s.Rejected == nil:
		l.put(warn, s.Notice)
		return
	}
	if c.verdict > 0 {
		l.cell(bad, "rejected", c.verdict-1).space(1)
		l.put(bad, s.Rejected.Verdict.String())
	} else {
		l.put(bad, "rejected: "+s.Rejected.Verdict.String())
	}
	if s.Rejected.ID != "" {
		l.put(dim, "  "+s.Rejected.ID)
	}
}

// explained is what a row of the log says of a delivery.
type explained struct {
	verdict string
	role    role // of the type
	marks   []string
	changes []model.Change
	text    string // in place of changes
}

// explain tells what a delivery meant when it arrived. What depends on earlier
// deliveries is left out until those have been read.
func (m *Model) explain(a *arrival) explained {
	e := explained{verdict: "verified", role: plain}
	if a.Source != model.SourceWebhook {
		e.verdict = string(a.Source)
	}
	switch a.Kind {
	case model.Done:
		e.role = good
	case model.Failure:
		e.role = bad
	case model.Ping, model.Other, model.Unrecognised:
		e.role = dim
	}
	if a.repeat() {
		e.role = dim
		e.marks = append(e.marks, "duplicate")
		e.text = fmt.Sprintf("arrival %d of #%d", a.attempt, a.Message)
		if a.differs {
			e.marks = append(e.marks, "differs")
			e.text += ", with another body"
		}
		return e
	}
	switch a.Kind {
	case model.Ping:
		e.text = "a test message; the signature is right"
		return e
	case model.Unrecognised:
		e.text = "verified, but no Aspect event"
		return e
	case model.Other:
		e.text = "tells no task"
		return e
	}
	t := m.board.Task(a.Task.ID)
	if t == nil || m.loading {
		e.text = told(a.Task.Features)
		return e
	}
	late, changes, _ := t.Arrival(a.Seq)
	switch {
	case late:
		e.marks = append(e.marks, "late")
		e.text = "older news: " + told(a.Task.Features)
	case len(changes) == 0:
		e.text = "nothing new"
	default:
		e.changes = changes
	}
	return e
}

// told lists features and their states.
func told(features []model.Feature) string {
	words := make([]string, len(features))
	for i, f := range features {
		words[i] = f.Name + " " + word(f.State)
	}
	return strings.Join(words, ", ")
}

// putChanges draws what changed: name, from, to.
func (m *Model) putChanges(l *line, changes []model.Change) {
	for i, c := range changes {
		if i > 0 {
			l.put(faint, "  ")
		}
		l.put(plain, c.Feature+" ")
		if c.From != "" {
			l.put(dim, string(c.From)+glyphArrow)
		}
		if c.To == "" {
			l.put(dim, "gone")
		} else {
			l.put(stateRole(c.To), string(c.To))
		}
	}
}
