package ui

import (
	"fmt"
	"strings"

	"aspectop/model"
)

// eventCols is the layout of the log, 0 for a column that had to give way.
type eventCols struct {
	seq, verdict, kind, task int
}

func eventColumns(w int) eventCols {
	c := eventCols{seq: 8, verdict: 11, kind: 16, task: 10}
	used := func() int { return 2 + clockWidth + 1 + c.seq + c.verdict + c.kind + c.task + 34 }
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
		if u, failed := m.log.unread[k.seq]; failed {
			return l.put(warn, u.why).String()
		}
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
	if m.hidden { // reasons may name hosts
		return
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
	case model.Gone:
		e.role, e.text = warn, "Aspect no longer knows the task"
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
