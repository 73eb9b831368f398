package feed

import (
	"cmp"
	"maps"
	"slices"
	"sort"

	"aspectop/model"
)

// Index is a set of deliveries by their sequence numbers. These come in long unbroken
// runs, which are searched by bisection.
type Index struct {
	runs []run // ascending, never touching
}

type run struct {
	from, to int64 // both included
	row      int   // of from
}

func (r run) len() int { return int(r.to - r.from + 1) }

// Add enters seq, at either end of the log or anywhere in between.
func (x *Index) Add(seq int64) {
	i, found := x.search(seq)
	if found {
		return
	}
	joinsLeft := i > 0 && x.runs[i-1].to == seq-1
	joinsRight := i < len(x.runs) && x.runs[i].from == seq+1
	switch {
	case joinsLeft && joinsRight:
		x.runs[i-1].to = x.runs[i].to
		x.runs = slices.Delete(x.runs, i, i+1)
	case joinsLeft:
		x.runs[i-1].to = seq
	case joinsRight:
		x.runs[i].from = seq
	default:
		x.runs = slices.Insert(x.runs, i, run{from: seq, to: seq})
	}
	// Rows behind the change have moved: one run or, while the history is read, a few.
	x.renumber(max(0, i-1))
}

// Remove takes seq out, if it is there.
func (x *Index) Remove(seq int64) {
	i, found := x.search(seq)
	if !found {
		return
	}
	r := x.runs[i]
	x.runs = slices.Delete(x.runs, i, i+1)
	if r.to > seq {
		x.runs = slices.Insert(x.runs, i, run{from: seq + 1, to: r.to})
	}
	if r.from < seq {
		x.runs = slices.Insert(x.runs, i, run{from: r.from, to: seq - 1})
	}
	x.renumber(i)
}

func (x *Index) renumber(i int) {
	for row := x.rowOf(i); i < len(x.runs); i++ {
		x.runs[i].row = row
		row += x.runs[i].len()
	}
}

// search finds the run that holds seq, or the one behind its place.
func (x *Index) search(seq int64) (i int, found bool) {
	i = sort.Search(len(x.runs), func(i int) bool { return x.runs[i].to >= seq })
	return i, i < len(x.runs) && x.runs[i].from <= seq
}

// rowOf is the row of run i, by the run before it.
func (x *Index) rowOf(i int) int {
	if i == 0 {
		return 0
	}
	return x.runs[i-1].row + x.runs[i-1].len()
}

// Len is the number of rows.
func (x *Index) Len() int { return x.rowOf(len(x.runs)) }

// At is the sequence number in row i.
func (x *Index) At(i int) int64 {
	j := sort.Search(len(x.runs), func(j int) bool { return x.runs[j].row > i }) - 1
	return x.runs[j].from + int64(i-x.runs[j].row)
}

// Find is the row of seq; if the log has not got it, the row of the next one.
func (x *Index) Find(seq int64) (row int, found bool) {
	i, found := x.search(seq)
	if !found {
		return x.rowOf(i), false
	}
	return x.runs[i].row + int(seq-x.runs[i].from), true
}

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

// RowKey names a row of the event log: a delivery by its number, or a status by
// its place behind the delivery that was the newest when it was read.
type RowKey struct {
	Seq int64
	Pos int64 // of a status; 0 for a delivery
}

// Compare orders rows as the log shows them.
func (k RowKey) Compare(o RowKey) int {
	return cmp.Or(cmp.Compare(k.Seq, o.Seq), cmp.Compare(k.Pos, o.Pos))
}

// Note is a status in the event log.
type Note struct {
	Key RowKey
	model.Status
}

// Earlier reports whether it is a request that was rejected before this run.
func (n *Note) Earlier() bool { return n.Status.Pos == 0 }

const maxNotes = 1000

// Note is the status with the key, or nil.
func (f *Feed) Note(k RowKey) *model.Status {
	i, found := slices.BinarySearchFunc(f.notes, k, func(n Note, k RowKey) int { return n.Key.Compare(k) })
	if !found {
		return nil
	}
	return &f.notes[i].Status
}

func (f *Feed) takeStatus(s model.Status) {
	switch {
	case s.Forward != nil: // shown beside the delivery
		f.forwards.add(s.Forward)
		return
	case s.Tunnel != nil:
		f.tunnel = s.Tunnel
		// Without the address: the header shows it, which knows when to hide it.
		s.Notice = "tunnel " + string(s.Tunnel.State) + ": " + s.Tunnel.Detail
	case s.Viewer != nil:
		s.Notice = s.Viewer.String()
	case s.Rejected != nil:
		f.counters.Rejected++
	}
	f.note(f.seen, s)
}

func (f *Feed) note(after int64, s model.Status) {
	f.noted++
	f.notes = append(f.notes, Note{RowKey{after, f.noted}, s})
	if len(f.notes) > maxNotes {
		f.notes = slices.Delete(f.notes, 0, len(f.notes)-maxNotes)
	}
}

const maxForwards = 4000

// forwards are the newest tries by delivery, one for each handler.
type forwards map[int64][]*model.Forward

func (f forwards) add(o *model.Forward) {
	if len(f) >= maxForwards {
		for _, seq := range slices.Sorted(maps.Keys(f))[:len(f)/2] {
			delete(f, seq)
		}
	}
	tries := slices.DeleteFunc(slices.Clone(f[o.Seq]), func(other *model.Forward) bool { return other.To == o.To })
	f[o.Seq] = append(tries, o)
}
