package ui

import (
	"fmt"
	"strings"

	"aspectop/model"
	"aspectop/ui/draw"
)

// eventCols is the layout of the log, 0 for a column that had to give way.
type eventCols struct {
	seq, verdict, kind, task int
}

func eventColumns(w int) eventCols {
	c := eventCols{seq: 8, verdict: 11, kind: 16, task: 10}
	used := func() int { return 2 + draw.ClockWidth + 1 + c.seq + c.verdict + c.kind + c.task + 34 }
	for _, giveWay := range []*int{&c.seq, &c.verdict, &c.task, &c.kind} {
		if used() > w {
			*giveWay = 0
		}
	}
	return c
}

func (c *eventCols) head(m *Model, w int) string {
	l := draw.NewLine(m.th, w).Space(2).Cell(draw.Dim, "TIME", draw.ClockWidth).Space(1)
	for _, col := range []struct {
		name string
		w    int
	}{{"#", c.seq}, {"VERDICT", c.verdict}, {"TYPE", c.kind}, {"TASK", c.task}} {
		if col.w > 0 {
			l.Cell(draw.Dim, col.name, col.w-1).Space(1)
		}
	}
	return l.Put(draw.Dim, "WHAT CHANGED").String()
}

func (c *eventCols) row(m *Model, k rowKey, w int, selected bool) string {
	l := draw.NewLine(m.th, w)
	l.Selected = selected
	if selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	if k.pos > 0 {
		c.statusRow(m, l, m.log.status(k))
		return l.String()
	}
	a := m.log.rows[k.seq]
	if a == nil {
		if u, failed := m.log.unread[k.seq]; failed {
			return l.Put(draw.Warn, u.why).String()
		}
		return l.Put(draw.Faint, draw.GlyphEllipsis).String()
	}
	e := m.explain(a)
	l.Put(draw.Dim, draw.Clock(a.Received)).Space(1)
	if c.seq > 0 {
		l.Right(draw.Faint, fmt.Sprint(a.Seq), c.seq-1).Space(1)
	}
	if c.verdict > 0 {
		l.Cell(draw.Good, e.verdict, c.verdict-1).Space(1)
	}
	if c.kind > 0 {
		l.Cell(e.role, a.Type, c.kind-1).Space(1)
	}
	if c.task > 0 {
		id := ""
		if a.Task != nil {
			id = draw.Short(a.Task.ID, c.task-1)
		}
		l.Cell(draw.Plain, id, c.task-1).Space(1)
	}
	for _, mark := range e.marks {
		l.Put(draw.Warn, mark).Space(1)
	}
	m.putForwards(l, a.Seq)
	m.putChanges(l, e.changes)
	if e.text != "" {
		l.Put(draw.Dim, e.text)
	}
	return l.String()
}

// putForwards draws what the user's handlers answered.
func (m *Model) putForwards(l *draw.Line, seq int64) {
	for _, f := range m.forwards[seq] {
		switch {
		case f.Delivered():
			l.Put(draw.Good, fmt.Sprintf("%s%d %dms", draw.GlyphArrow, f.Status, f.Latency.Milliseconds()))
		case f.GaveUp:
			l.Put(draw.Bad, draw.GlyphArrow+"gave up: "+f.Error)
		case f.Final:
			l.Put(draw.Bad, draw.GlyphArrow+f.Error)
		default:
			l.Put(draw.Warn, fmt.Sprintf("%stry %d: %s", draw.GlyphArrow, f.Tries, f.Error))
		}
		l.Put(draw.Plain, " ")
	}
}

// putTunnel draws a change of the tunnel as a sentence.
func (m *Model) putTunnel(l *draw.Line, t *model.Tunnel) {
	r := draw.Warn
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		r = draw.Bad
	case t.State == model.TunnelConnected:
		r = draw.Good
	}
	l.Put(r, "tunnel "+string(t.State))
	if t.PublicURL != "" {
		l.Put(draw.Dim, " at ").Put(draw.Plain, m.shown(t.PublicURL))
	}
	if m.hidden { // reasons may name hosts
		return
	}
	if t.Detail != "" {
		l.Put(draw.Dim, ": "+t.Detail)
	}
	if t.Probe != nil && !t.Probe.OK {
		l.Put(draw.Bad, "; probe failed: "+t.Probe.Detail)
	}
}

func (c *eventCols) statusRow(m *Model, l *draw.Line, s *model.Status) {
	if s == nil {
		return
	}
	l.Put(draw.Dim, draw.Clock(s.At)).Space(1)
	if c.seq > 0 {
		l.Space(c.seq)
	}
	switch {
	case s.Tunnel != nil:
		m.putTunnel(l, s.Tunnel)
		return
	case s.Rejected == nil:
		l.Put(draw.Warn, s.Notice)
		return
	}
	if c.verdict > 0 {
		l.Cell(draw.Bad, "rejected", c.verdict-1).Space(1)
		l.Put(draw.Bad, s.Rejected.Verdict.String())
	} else {
		l.Put(draw.Bad, "rejected: "+s.Rejected.Verdict.String())
	}
	if s.Rejected.ID != "" {
		l.Put(draw.Dim, "  "+s.Rejected.ID)
	}
}

// explained is what a row of the log says of a delivery.
type explained struct {
	verdict string
	role    draw.Role // of the type
	marks   []string
	changes []model.Change
	text    string // in place of changes
}

// explain tells what a delivery meant when it arrived. What depends on earlier
// deliveries is left out until those have been read.
func (m *Model) explain(a *arrival) explained {
	e := explained{verdict: "verified", role: draw.Plain}
	if a.Source != model.SourceWebhook {
		e.verdict = string(a.Source)
	}
	switch a.Kind {
	case model.Done:
		e.role = draw.Good
	case model.Failure:
		e.role = draw.Bad
	case model.Ping, model.Other, model.Unrecognised:
		e.role = draw.Dim
	}
	if a.repeat() {
		e.role = draw.Dim
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
		e.role, e.text = draw.Warn, "Aspect no longer knows the task"
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
		words[i] = f.Name + " " + draw.Word(f.State)
	}
	return strings.Join(words, ", ")
}

// putChanges draws what changed: name, from, to.
func (m *Model) putChanges(l *draw.Line, changes []model.Change) {
	for i, c := range changes {
		if i > 0 {
			l.Put(draw.Faint, "  ")
		}
		l.Put(draw.Plain, c.Feature+" ")
		if c.From != "" {
			l.Put(draw.Dim, string(c.From)+draw.GlyphArrow)
		}
		if c.To == "" {
			l.Put(draw.Dim, "gone")
		} else {
			l.Put(draw.StateRole(c.To), string(c.To))
		}
	}
}
