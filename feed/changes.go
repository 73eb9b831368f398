package feed

import "aspectop/model"

// maxChanges is how many changes of tasks a screen may be behind before it is
// to take any task for changed.
const maxChanges = 1 << 14

// changes are the latest changes of tasks, in the order in which they happened.
type changes struct {
	ring   []TaskChange // change n stands at n % maxChanges
	n      int64        // changes so far
	active []bool       // by index in the board: the task was active at its latest change
}

// TaskChange is a task that has changed.
type TaskChange struct {
	Task  int32 // its index in the board
	Ended bool  // it was active or unknown before, and a new message has ended it
}

// Cursor is how far a screen has come with the changes of a feed.
type Cursor struct{ n int64 }

// Since returns the tasks that have changed since the cursor, in the order in
// which they did, some of them several times; and the cursor for the next call.
// If those are no longer known, all is true. The zero Cursor is at the start.
func (f *Feed) Since(c Cursor) (changed []TaskChange, all bool, next Cursor) {
	next = Cursor{f.changes.n}
	if f.changes.n-c.n > maxChanges {
		return nil, true, next
	}
	for n := c.n; n < f.changes.n; n++ {
		changed = append(changed, f.changes.ring[n%maxChanges])
	}
	return changed, false, next
}

// takeChanged enters the tasks that were folded into. History ends none.
func (f *Feed) takeChanged(history bool) {
	c := &f.changes
	if c.ring == nil {
		c.ring = make([]TaskChange, maxChanges)
	}
	for len(c.active) < f.board.Len() {
		c.active = append(c.active, true)
	}
	var moved []int32
	f.board.TakeChanged(func(t *model.Task) {
		i := int32(t.Index())
		c.ring[c.n%maxChanges] = TaskChange{i, !history && c.active[i] && !t.Active()}
		c.n++
		c.active[i] = t.Active()
		moved = append(moved, i)
	})
	f.order.Update(f.board, moved, func(*model.Task) bool { return true })
}
