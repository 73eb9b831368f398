package view

import (
	"slices"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/screen"
)

// taskEvents is the list of the messages of one task, in the order in which
// they came, like the rows of the event log.
type taskEvents struct {
	list[feed.RowKey]
	told   int   // messages of the task when the rows were listed
	opened int64 // the row that was opened, 0: none
}

// newTaskEvents returns the list with a row selected or, without one, with the
// newest.
func newTaskEvents(row feed.RowKey) taskEvents {
	return taskEvents{opened: row.Seq, list: list[feed.RowKey]{
		rows: keysOf[feed.RowKey](nil), key: row, log: true, follow: row == (feed.RowKey{}), silent: true,
		none:   "no failures",
		failed: func(sc *screen.Screen, k feed.RowKey) (failed, known bool) { return sc.Log.Failed(k), true },
	}}
}

// update takes in messages that are new. The row that was opened may be a
// repeat, which is none of the task's messages; it is listed all the same.
func (e *taskEvents) update(sc *screen.Screen, t *model.Task, h int) {
	if e.told != t.Messages() {
		e.told = t.Messages()
		seqs := t.Seqs()
		if e.opened != 0 && !slices.Contains(seqs, e.opened) {
			seqs = append(seqs, e.opened)
		}
		slices.Sort(seqs)
		keys := make(keysOf[feed.RowKey], len(seqs))
		for i, seq := range seqs {
			keys[i] = feed.RowKey{Seq: seq}
		}
		e.rows = keys
		e.hold(sc)
	}
	e.arrange(sc, h, min(1, h/6)) // titles, where there is room
}

// inSight are the rows on screen, with a page around them.
func (e *taskEvents) inSight() []int64 {
	var seqs []int64
	for _, k := range e.around() {
		seqs = append(seqs, k.Seq)
	}
	return seqs
}
