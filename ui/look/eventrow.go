package look

import (
	"fmt"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

// Event is a row of the log, as far as it is at hand.
type Event struct {
	explained
	arrival *feed.Arrival
	status  *model.Status
	unread  string // why there is neither; "" if it is being read
}

// RowOf is the row with the key.
func RowOf(sc *screen.Screen, k feed.RowKey) (e Event) {
	if k.Pos > 0 {
		e.status, e.unread = sc.Log.Status(k), " " // a private screen has no notices
	} else if e.arrival = sc.Log.Row(k.Seq); e.arrival != nil {
		e.explained = explain(sc, e.arrival)
	} else {
		u, _ := sc.Log.Unread(k.Seq)
		e.unread = u.Why
	}
	return e
}

// EventTable lays the log out for the width. dated has room for the day, which
// rows of other days than today have. The column of tasks can be left out.
func EventTable(sc *screen.Screen, w int, dated, task bool) draw.Table[Event] {
	clock := draw.ClockWidth
	if dated {
		clock = draw.DayWidth
	}
	verdict := true // there is a column for it
	id, what := []draw.Size{draw.Whole(2, 10)}, 34
	if !task {
		id, what = nil, 44
	}
	table := draw.Table[Event]{
		{Title: "TIME", Sizes: []draw.Size{draw.Whole(0, clock+1)}, Draw: func(l *draw.Line, e Event, w int) { e.putTime(sc, l, w) }},
		{Title: "#", Sizes: []draw.Size{draw.Whole(5, 8)}, Draw: func(l *draw.Line, e Event, w int) {
			if e.arrival != nil {
				l.Right(draw.Faint, fmt.Sprint(e.arrival.Seq), w)
			}
		}},
		{Title: "VERDICT", Sizes: []draw.Size{draw.Whole(4, 11)}, Draw: func(l *draw.Line, e Event, w int) {
			switch {
			case e.arrival != nil:
				l.Cell(e.verdictRole, e.verdict, w)
			case e.status != nil && e.status.Rejected != nil:
				l.Cell(draw.Bad, "rejected", w)
			default:
				e.putStatus(sc, l, true)
			}
		}},
		{Title: "TYPE", Sizes: []draw.Size{draw.Whole(3, 16)}, Draw: func(l *draw.Line, e Event, w int) {
			if e.arrival == nil {
				e.putStatus(sc, l, verdict)
				return
			}
			l.Cell(e.role, e.arrival.Type, w)
		}},
		{Title: "TASK", Sizes: id, Draw: func(l *draw.Line, e Event, w int) {
			switch {
			case e.arrival == nil:
				e.putStatus(sc, l, verdict)
			case e.arrival.Task != nil:
				l.Cell(draw.Plain, draw.Short(e.arrival.Task.ID, w), w)
			}
		}},
		{Title: "WHAT CHANGED", Sizes: []draw.Size{draw.Part(1, what), draw.Part(6, w)}, Draw: func(l *draw.Line, e Event, _ int) {
			e.putChange(sc, l, verdict)
		}},
	}
	table.Arrange(w)
	verdict = table[2].Width > 0
	return table
}

// putTime draws when it came or, if it is not at hand, why.
func (e Event) putTime(sc *screen.Screen, l *draw.Line, w int) {
	switch {
	case e.arrival != nil:
		l.Cell(draw.Dim, draw.DayClock(e.arrival.Received, sc.At), w)
	case e.status != nil:
		l.Cell(draw.Dim, draw.DayClock(e.status.At, sc.At), w)
	case e.unread != "":
		l.Put(draw.Warn, e.unread).Space(l.Free)
	default:
		l.Put(draw.Faint, draw.GlyphEllipsis).Space(l.Free)
	}
}

// putChange draws what the delivery meant.
func (e Event) putChange(sc *screen.Screen, l *draw.Line, verdict bool) {
	if e.arrival == nil {
		e.putStatus(sc, l, verdict)
		return
	}
	if !verdict && e.arrival.Repeat() {
		l.Put(draw.Warn, e.verdict).Space(1)
	}
	for _, mark := range e.marks {
		l.Put(draw.Warn, mark).Space(1)
	}
	putForwards(sc, l, e.arrival.Seq)
	PutChanges(sc, l, e.changes)
	if e.text != "" {
		l.Put(draw.Dim, e.text)
	}
}

// putStatus draws what is no delivery, to the end of the line. If the verdict has
// a column, that a request was rejected stands there.
func (e Event) putStatus(sc *screen.Screen, l *draw.Line, verdict bool) {
	switch s := e.status; {
	case s == nil:
	case s.Tunnel != nil:
		putTunnel(sc, l, s.Tunnel)
	case s.Rejected == nil:
		l.Put(draw.Warn, s.Notice)
	default:
		if !verdict {
			l.Put(draw.Bad, "rejected: ")
		}
		l.Put(draw.Bad, s.Rejected.Verdict.String())
		if s.Rejected.ID != "" {
			l.Put(draw.Dim, "  "+s.Rejected.ID)
		}
	}
	l.Space(l.Free)
}

// putForwards draws what the user's handlers answered, in a word: the preview and
// the headers have the reasons.
func putForwards(sc *screen.Screen, l *draw.Line, seq int64) {
	for _, f := range sc.Forwards(seq) {
		switch {
		case f.Delivered():
			l.Put(draw.Good, fmt.Sprintf("%s%d %dms", draw.GlyphArrow, f.Status, f.Latency.Milliseconds()))
		case f.GaveUp:
			l.Put(draw.Bad, draw.GlyphArrow+"given up")
		case f.Final && f.Status != 0:
			l.Put(draw.Bad, fmt.Sprintf("%s%d", draw.GlyphArrow, f.Status))
		case f.Final:
			l.Put(draw.Bad, draw.GlyphArrow+"not sent")
		default:
			l.Put(draw.Warn, fmt.Sprintf("%stry %d", draw.GlyphArrow, f.Tries))
		}
		l.Put(draw.Plain, " ")
	}
}

// putTunnel draws a change of the tunnel as a sentence.
func putTunnel(sc *screen.Screen, l *draw.Line, t *model.Tunnel) {
	r := draw.Warn
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		r = draw.Bad
	case t.State == model.TunnelConnected:
		r = draw.Good
	}
	l.Put(r, "tunnel "+string(t.State))
	if t.PublicURL != "" {
		l.Put(draw.Dim, " at ").Put(draw.Plain, sc.Shown(t.PublicURL))
	}
	if sc.Hidden { // reasons may name hosts
		return
	}
	if t.Detail != "" {
		l.Put(draw.Dim, ": "+t.Detail)
	}
	if t.Probe != nil && !t.Probe.OK {
		l.Put(draw.Bad, "; probe failed: "+t.Probe.Detail)
	}
}
