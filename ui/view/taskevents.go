package view

import (
	"slices"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// taskEvents is the list of the messages of one task, in the order in which
// they came, like the rows of the event log.
type taskEvents struct {
	seqs   []int64 // ascending; not empty once update was called
	told   int     // messages of the task when seqs was made
	opened int64   // the row that the reader came by, 0: none
	rows   draw.Window
	h      int  // rows on screen
	follow bool // the last row stays selected
}

// update takes in messages that are new. The row that was opened may be a
// repeat, which is none of the task's messages; it is listed all the same.
func (e *taskEvents) update(t *model.Task) {
	if e.told == t.Messages() {
		return
	}
	e.told = t.Messages()
	e.seqs = t.Seqs()
	if e.opened != 0 && !slices.Contains(e.seqs, e.opened) {
		e.seqs = append(e.seqs, e.opened)
	}
	slices.Sort(e.seqs)
}

// hold keeps the selection on the row with the number, or on the last one while
// following.
func (e *taskEvents) hold(h int, seq int64) {
	e.h = h - e.head(h)
	h = e.h
	n := len(e.seqs)
	if e.follow {
		e.rows.Set(n-1, n, h)
		return
	}
	i, _ := slices.BinarySearch(e.seqs, seq)
	e.rows.Shift(min(i, n-1), n, h)
}

// head is the number of lines above the rows: the titles, where there is room.
func (e *taskEvents) head(h int) int {
	if h < 6 {
		return 0
	}
	return 1
}

func (e *taskEvents) selected() int64 { return e.seqs[e.rows.Cursor] }

// do moves the selection and reports whether a was a movement.
func (e *taskEvents) do(sc *screen.Screen, a keys.Action) bool {
	n := len(e.seqs)
	switch a {
	case keys.NextMatch, keys.PrevMatch:
		e.toFailure(sc, a)
	default:
		if n == 0 || !e.rows.Move(a, n, e.h) {
			return false
		}
	}
	e.follow = e.rows.Cursor == n-1
	return true
}

// toFailure selects the next row, or the previous one, that tells a failure, as
// far as rows are at hand.
func (e *taskEvents) toFailure(sc *screen.Screen, a keys.Action) {
	step := 1
	if a == keys.PrevMatch {
		step = -1
	}
	for i := e.rows.Cursor + step; i >= 0 && i < len(e.seqs); i += step {
		if sc.Log.Failed(feed.RowKey{Seq: e.seqs[i]}) {
			e.rows.Set(i, len(e.seqs), e.h)
			return
		}
	}
	sc.Say("no failures")
}

// inSight are the rows on screen, with a page around them.
func (e *taskEvents) inSight() []int64 {
	n := len(e.seqs)
	return e.seqs[max(0, min(n, e.rows.Top-e.h)):min(n, e.rows.Top+2*e.h)]
}

// dated reports whether the first row on the screen is of another day.
func (e *taskEvents) dated(sc *screen.Screen) bool {
	if e.rows.Top >= len(e.seqs) {
		return false
	}
	a := sc.Log.Row(e.seqs[e.rows.Top])
	return a != nil && !draw.SameDay(a.Received, sc.At)
}

func (e *taskEvents) draw(sc *screen.Screen, w, h int) []string {
	c := look.EventColumns(w, e.dated(sc))
	c.OmitTask() // it is the same in all rows
	var lines []string
	if e.head(h) > 0 {
		lines = append(lines, c.Head(sc, w))
	}
	for i := e.rows.Top; i < len(e.seqs) && len(lines) < h; i++ {
		lines = append(lines, c.Row(sc, feed.RowKey{Seq: e.seqs[i]}, w, i == e.rows.Cursor))
	}
	return lines
}
