package render

import (
	"fmt"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// Event is a row of the log, as far as it is at hand.
type Event struct {
	words.Event
	arrival *feed.Arrival
	status  *model.Status
	unread  string // why there is neither; "" if it is being read
}

// RowOf is the row with the key.
func RowOf(sc *screen.Screen, k feed.RowKey) (e Event) {
	if k.Pos > 0 {
		e.status, e.unread = sc.Log.Status(k), " " // a private screen has no notices
	} else if e.arrival = sc.Log.Row(k.Seq); e.arrival != nil {
		e.Event = explain(sc, e.arrival)
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
				l.Cell(e.Verdict.Role, e.Verdict.Text, w)
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
			l.Cell(e.Type.Role, e.Type.Text, w)
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
		l.Put(e.Verdict.Role, e.Verdict.Text).Space(1)
	}
	for _, mark := range e.Marks {
		l.Put(draw.Warn, mark).Space(1)
	}
	putForwards(sc, l, e.arrival.Seq)
	PutChanges(sc, l, e.Changes)
	l.Put(e.Text.Role, e.Text.Text)
}

// putStatus draws what is no delivery, to the end of the line. If the verdict has
// a column, that a request was rejected stands there.
func (e Event) putStatus(sc *screen.Screen, l *draw.Line, verdict bool) {
	switch s := e.status; {
	case s == nil:
	case s.Tunnel != nil:
		l.PutAll(words.Tunnel(Tunnel(sc, s.Tunnel), s.At))
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
		told := words.ForwardBriefly(f)
		l.Put(told.Role, draw.GlyphArrow+told.Text).Space(1)
	}
}

// Tunnel is the tunnel as far as it may be shown: reasons may name hosts.
func Tunnel(sc *screen.Screen, t *model.Tunnel) *model.Tunnel {
	if !sc.Masked {
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
