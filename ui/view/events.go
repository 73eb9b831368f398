package view

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// Events is the log: every delivery and every refusal, newest at the end.
type Events struct {
	rows   draw.Window
	h      int
	key    feed.RowKey // of the selected row
	line   int         // where on the screen it is
	follow bool        // the selection stays on the last row
	queues []screen.Queue
}

// NewEvents returns the log, with the last row selected.
func NewEvents() *Events { return &Events{follow: true} }

func (v *Events) Title() string { return "Events" }

func (v *Events) Has(_ *screen.Screen, a keys.Action) bool { return a != keys.Sort }

func (v *Events) Shown(sc *screen.Screen) int { return sc.Log.Len() }

func (v *Events) Preview(sc *screen.Screen, w, h int) []string {
	return look.Preview(sc, v.Selection(sc), w, h)
}

func (v *Events) Changed(sc *screen.Screen, c screen.Change) {
	if c.Filter {
		sc.Log.Refilter()
	}
	v.hold(sc)
}

// hold keeps the selection on its row, or on the last one while following. A row
// that the scan for a filter has not come to yet is waited for: it is selected
// again, in its place on the screen, as soon as it passes.
func (v *Events) hold(sc *screen.Screen) {
	n := sc.Log.Len()
	if n == 0 {
		v.rows.Set(0, 0, v.h)
		return
	}
	if v.follow {
		v.rows.Set(n-1, n, v.h)
	} else {
		i := min(sc.Log.Find(v.key), n-1)
		v.rows = draw.Window{Cursor: i, Top: i - v.line}
		v.rows.Set(i, n, v.h)
		if sc.Log.At(i) != v.key && sc.Log.Looking() {
			return
		}
	}
	v.settle(sc)
}

// settle notes the row that the cursor is on.
func (v *Events) settle(sc *screen.Screen) {
	v.key, v.line = sc.Log.At(v.rows.Cursor), v.rows.Cursor-v.rows.Top
}

func (v *Events) Selection(sc *screen.Screen) screen.Selection {
	if sc.Log.Len() == 0 {
		return screen.Selection{}
	}
	s := screen.Selection{Row: sc.Log.At(v.rows.Cursor)}
	if a := sc.Log.Row(s.Row.Seq); s.Row.Pos == 0 && a != nil && a.Task != nil {
		s.Task = sc.Board.Task(a.Task.ID)
	}
	return s
}

func (v *Events) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Follow:
		v.follow = !v.follow
		sc.SayFollow(v.follow)
	case keys.Open:
		if s := v.Selection(sc); sc.Log.Len() > 0 {
			sc.Open(s.Task, s.Row)
		}
	case keys.NextMatch, keys.PrevMatch:
		v.toFailure(sc, a)
	default:
		if !v.rows.Move(a, sc.Log.Len(), v.h) {
			return nil, false
		}
		v.moved(sc)
	}
	v.hold(sc)
	return nil, true
}

func (v *Events) moved(sc *screen.Screen) {
	n := sc.Log.Len()
	if n == 0 {
		return
	}
	v.settle(sc)
	if follow := v.rows.Cursor == n-1; follow != v.follow {
		v.follow = follow
		sc.SayFollow(follow)
	}
}

// toFailure goes to the next row at hand that tells a failure or a refusal.
func (v *Events) toFailure(sc *screen.Screen, a keys.Action) {
	step := 1
	if a == keys.PrevMatch {
		step = -1
	}
	n := sc.Log.Len()
	for i := v.rows.Cursor + step; i >= 0 && i < n; i += step {
		k := sc.Log.At(i)
		if k.Pos == 0 && sc.Log.Row(k.Seq) == nil {
			break // not at hand: the filter ! finds them all
		}
		if sc.Log.Failed(k) {
			v.rows.Set(i, n, v.h)
			v.moved(sc)
			return
		}
	}
	sc.Say("no failure nearby; press ! for all failures")
}

func (v *Events) Click(sc *screen.Screen, _, y int) bool {
	if row := v.rows.Top + y - 1; y > 0 && row < sc.Log.Len() {
		v.rows.Set(row, sc.Log.Len(), v.h)
		v.moved(sc)
		return true
	}
	return false
}

// InSight are the deliveries whose rows the log shows, with a page around them.
func (v *Events) InSight(sc *screen.Screen) []int64 {
	var seqs []int64
	n := sc.Log.Len()
	for i := max(0, v.rows.Top-v.h); i < min(n, v.rows.Top+2*v.h); i++ {
		if k := sc.Log.At(i); k.Pos == 0 {
			seqs = append(seqs, k.Seq)
		}
	}
	return seqs
}

func (v *Events) Arrange(sc *screen.Screen, _, h int) {
	if sc.Queues != nil && !sc.Frozen() {
		v.queues = sc.Queues()
	}
	if rows := max(1, h-1-look.QueueLines(v.queues, h)); rows != v.h {
		v.h = rows
		v.hold(sc)
	}
}

// dated reports whether one of the rows on the screen is of another day. They are
// in the order of their arrival, so that the first one tells.
func (v *Events) dated(sc *screen.Screen, h int) bool {
	for i := v.rows.Top; i < min(sc.Log.Len(), v.rows.Top+h); i++ {
		if a := sc.Log.Row(sc.Log.At(i).Seq); a != nil && sc.Log.At(i).Pos == 0 {
			return !draw.SameDay(a.Received, sc.At)
		}
	}
	return false
}

func (v *Events) Draw(sc *screen.Screen, w, h int) []string {
	below := look.DrawQueues(sc, v.queues, w, look.QueueLines(v.queues, h))
	h -= len(below)
	n := sc.Log.Len()
	if n == 0 {
		return append(look.Empty(sc, true, w, h), below...)
	}
	c := look.EventColumns(w, v.dated(sc, h))
	lines := []string{c.Head(sc, w)}
	for i := v.rows.Top; i < n && len(lines) < h; i++ {
		lines = append(lines, c.Row(sc, sc.Log.At(i), w, i == v.rows.Cursor))
	}
	return append(draw.Tall(sc.Theme, lines, w, h), below...)
}
