package look

import (
	"fmt"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// EventCols is the layout of the log, 0 for a column that had to give way.
type EventCols struct {
	clock, seq, verdict, kind, task int
}

// EventColumns lays the log out for the width. dated has room for the day, which
// rows of other days than today have.
func EventColumns(w int, dated bool) EventCols {
	c := EventCols{clock: draw.ClockWidth, seq: 8, verdict: 11, kind: 16, task: 10}
	if dated {
		c.clock = draw.DayWidth
	}
	used := func() int { return 2 + c.clock + 1 + c.seq + c.verdict + c.kind + c.task + 34 }
	for _, giveWay := range []*int{&c.seq, &c.verdict, &c.kind, &c.task} {
		if used() > w {
			*giveWay = 0
		}
	}
	return c
}

// OmitTask leaves out the column that names the task.
func (c *EventCols) OmitTask() { c.task = 0 }

// Head draws the titles of the columns.
func (c *EventCols) Head(sc *screen.Screen, w int) string {
	l := draw.NewLine(sc.Theme, w).Space(2).Cell(draw.Dim, "TIME", c.clock).Space(1)
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

// Row draws a row of the log.
func (c *EventCols) Row(sc *screen.Screen, k feed.RowKey, w int, selected bool) string {
	l := draw.NewLine(sc.Theme, w)
	l.Selected = selected
	if selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	if k.Pos > 0 {
		c.statusRow(sc, l, sc.Log.Status(k))
		return l.String()
	}
	a := sc.Log.Row(k.Seq)
	if a == nil {
		if u, failed := sc.Log.Unread(k.Seq); failed {
			return l.Put(draw.Warn, u.Why).String()
		}
		return l.Put(draw.Faint, draw.GlyphEllipsis).String()
	}
	e := explain(sc, a)
	l.Cell(draw.Dim, draw.DayClock(a.Received, sc.At), c.clock).Space(1)
	if c.seq > 0 {
		l.Right(draw.Faint, fmt.Sprint(a.Seq), c.seq-1).Space(1)
	}
	if c.verdict > 0 {
		l.Cell(e.Verdict.Role, e.Verdict.Text, c.verdict-1).Space(1)
	} else if a.Repeat() {
		l.Put(e.Verdict.Role, e.Verdict.Text).Space(1)
	}
	if c.kind > 0 {
		l.Cell(e.Type.Role, e.Type.Text, c.kind-1).Space(1)
	}
	if c.task > 0 {
		id := ""
		if a.Task != nil {
			id = draw.Short(a.Task.ID, c.task-1)
		}
		l.Cell(draw.Plain, id, c.task-1).Space(1)
	}
	for _, mark := range e.Marks {
		l.Put(draw.Warn, mark).Space(1)
	}
	putForwards(sc, l, a.Seq)
	PutChanges(sc, l, e.Changes)
	l.Put(e.Text.Role, e.Text.Text)
	return l.String()
}

// putForwards draws what the user's handlers answered, in a word: the preview and
// the headers have the reasons.
func putForwards(sc *screen.Screen, l *draw.Line, seq int64) {
	for _, f := range sc.Forwards(seq) {
		told := words.ForwardBriefly(f)
		l.Put(told.Role, draw.GlyphArrow+told.Text).Space(1)
	}
}

// Tunnel is the tunnel as far as it may be shown: reasons may name hosts.
func Tunnel(sc *screen.Screen, t *model.Tunnel) *model.Tunnel {
	if !sc.Hidden {
		return t
	}
	shown := *t
	shown.Detail = ""
	if t.PublicURL != "" {
		shown.PublicURL = sc.Shown(t.PublicURL)
	}
	if t.Probe != nil {
		shown.Probe = &model.Probe{OK: t.Probe.OK, RoundTrip: t.Probe.RoundTrip, Detail: "(hidden)"}
	}
	return &shown
}

func (c *EventCols) statusRow(sc *screen.Screen, l *draw.Line, s *model.Status) {
	if s == nil {
		return
	}
	l.Cell(draw.Dim, draw.DayClock(s.At, sc.At), c.clock).Space(1)
	if c.seq > 0 {
		l.Space(c.seq)
	}
	switch {
	case s.Tunnel != nil:
		l.PutAll(words.Tunnel(Tunnel(sc, s.Tunnel), s.At))
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
