package view

import (
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/ui/screen"
)

// Events is the log: every delivery and every refusal, newest at the end.
type Events struct {
	list[feed.RowKey]
	queues []model.Queue
}

// NewEvents returns the log, with the last row selected.
func NewEvents(sc *screen.Screen) *Events {
	return &Events{list: list[feed.RowKey]{
		rows: &sc.Log, log: true, follow: true,
		failed: func(sc *screen.Screen, k feed.RowKey) (failed, known bool) { return sc.Log.Failed(k) },
		none:   "no failure nearby; press ! for all failures",
	}}
}

func (v *Events) Changed(sc *screen.Screen, c screen.Change) {
	if c.Filter || c.All && sc.Filter.Words.NeedsBoard() {
		sc.Log.Refilter()
	}
	sc.Log.Doubt(c.Tasks)
	v.hold(sc)
}

func (v *Events) Selection(sc *screen.Screen, target bool) screen.Selection {
	k, _ := v.selected(sc, target)
	return sc.Select(k)
}

// InSight are the deliveries whose rows the log shows, with a page around them.
func (v *Events) InSight(*screen.Screen) []int64 { return seqsAround(&v.list) }

// seqsAround are the deliveries on screen, with a page before and after.
func seqsAround(l *list[feed.RowKey]) []int64 {
	var seqs []int64
	for i := max(0, l.Top-l.h); i < min(l.rows.Len(), l.Top+2*l.h); i++ {
		if k := l.rows.At(i); k.Pos == 0 {
			seqs = append(seqs, k.Seq)
		}
	}
	return seqs
}

func (v *Events) Arrange(sc *screen.Screen, _, h int) {
	if !sc.Frozen() {
		v.queues = sc.Queues()
	}
	v.foot = render.QueueLines(v.queues, h)
	v.arrange(sc, h-v.foot, 1)
}

func (v *Events) Draw(sc *screen.Screen, w, h int) []string {
	below := render.DrawQueues(sc, v.queues, w, min(v.foot, h))
	h -= len(below)
	if v.rows.Len() == 0 {
		return append(render.Empty(sc, true, w, h), below...)
	}
	return append(draw.PadHeight(sc.Theme, drawLog(sc, &v.list, true, w, h), w, h), below...)
}

// drawLog draws rows of the log, with titles unless head is 0, with or without tasks.
func drawLog(sc *screen.Screen, l *list[feed.RowKey], task bool, w, h int) []string {
	table := render.EventTable(sc, w, dayOf(sc, l), task)
	var lines []string
	if l.head > 0 {
		lines = append(lines, table.Head(sc.Theme, w))
	}
	return l.drawRows(lines, h, func(k feed.RowKey, selected bool) string {
		return table.Row(sc.Theme, w, render.RowOf(sc, k), selected)
	})
}

// dayOf is a moment of the day of all rows on screen; zero if they are of several.
func dayOf(sc *screen.Screen, l *list[feed.RowKey]) (day time.Time) {
	for i := l.Top; i < min(l.rows.Len(), l.Top+l.h); i++ {
		var at time.Time
		if k := l.rows.At(i); k.Pos > 0 {
			if s := sc.Log.Status(k); s != nil {
				at = s.At
			}
		} else if a := sc.Log.Row(k.Seq); a != nil {
			at = a.Received
		}
		switch {
		case at.IsZero():
		case day.IsZero():
			day = at
		case !draw.SameDay(day, at):
			return time.Time{}
		}
	}
	if day.IsZero() { // nothing is read yet
		return sc.At
	}
	return day
}
