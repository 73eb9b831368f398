package feed

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aspectop/model"
)

// Sorting is an order of tasks.
type Sorting uint8

const (
	ByNews     Sorting = iota // latest event first
	ByState                   // failed first, then what moves, then what is done
	ByAge                     // newest task first
	ByDuration                // longest first; what still runs before what is done
	Sortings
)

func (s Sorting) String() string {
	return [...]string{"latest event", "state", "age", "duration"}[s]
}

// Tasks is a board, as far as it is sorted.
type Tasks interface {
	Len() int
	At(i int) *model.Task
}

// Order is the list of tasks that pass a filter, in order. It takes four bytes a
// task.
type Order struct {
	By    Sorting
	rows  []int32  // indices into the board
	out   []uint64 // bits by index: the task is being moved; all zero between updates
	moved []int32  // scratch
}

// Rows are the tasks by their indices in the board, the first one first. They
// belong to the order: do not change them.
func (o *Order) Rows() []int32 { return o.rows }

// Rebuild makes the list anew: after the filter or the sorting changed. It
// costs n log n in the number of tasks.
func (o *Order) Rebuild(b Tasks, keep func(*model.Task) bool) {
	o.rows = slices.Grow(o.rows[:0], b.Len())
	for i := range b.Len() {
		if keep(b.At(i)) {
			o.rows = append(o.rows, int32(i))
		}
	}
	slices.SortFunc(o.rows, func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) })
}

// Update takes the changed tasks to their new places. It costs one walk over
// the list, and sorting only what changed.
func (o *Order) Update(b Tasks, changed []int32, keep func(*model.Task) bool) {
	if len(changed) == 0 {
		return
	}
	o.out = append(o.out, make([]uint64, (b.Len()+63)/64-len(o.out))...)
	o.moved = o.moved[:0]
	for _, i := range changed {
		o.out[i/64] |= 1 << (i % 64)
		if keep(b.At(int(i))) {
			o.moved = append(o.moved, i)
		}
	}
	before := func(x, y int32) bool { return o.compare(b.At(int(x)), b.At(int(y))) < 0 }
	slices.SortFunc(o.moved, func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) })
	o.rows = slices.DeleteFunc(o.rows, func(i int32) bool { return o.out[i/64]&(1<<(i%64)) != 0 })
	// Merge from the end, where there is room.
	stay, move := len(o.rows), len(o.moved)
	o.rows = append(o.rows, o.moved...)
	for at := len(o.rows) - 1; move > 0; at-- {
		if stay > 0 && before(o.moved[move-1], o.rows[stay-1]) {
			stay--
			o.rows[at] = o.rows[stay]
		} else {
			move--
			o.rows[at] = o.moved[move]
		}
	}
	for _, i := range changed {
		o.out[i/64] = 0
	}
}

func (o *Order) compare(x, y *model.Task) int {
	c := 0
	switch o.By {
	case ByState:
		c = cmp.Compare(stateWeight(x.State()), stateWeight(y.State()))
	case ByAge:
		c = y.Created().Compare(x.Created())
	case ByDuration:
		if a, b := x.Active(), y.Active(); a != b {
			if a {
				return -1
			}
			return 1
		} else if a {
			c = x.Created().Compare(y.Created())
		} else {
			c = cmp.Compare(y.Took(time.Time{}), x.Took(time.Time{}))
		}
	}
	if c == 0 {
		c = y.Heard().Compare(x.Heard())
	}
	if c == 0 {
		c = strings.Compare(x.ID(), y.ID())
	}
	return c
}

// stateWeight orders states by how much they want to be looked at.
func stateWeight(s model.State) int {
	switch s {
	case model.Failed:
		return 0
	case model.Processing:
		return 1
	case model.Queued:
		return 2
	case model.Cancelled:
		return 3
	}
	return 4
}
