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
	ByState                   // by [model.StateInfo] Order: failed first, then what moves, then what is done
	ByAge                     // newest task first
	ByDuration                // longest first; what still runs before what is done
	Sortings                  // those that a list offers
	ByActivity                // what is active first, then the latest event: the order of the timeline
)

func (s Sorting) String() string {
	return [...]string{"latest event", "state", "age", "duration"}[s]
}

// Tasks is a board, as far as it is sorted.
type Tasks interface {
	Len() int
	At(i int) *model.Task
}

// Order is the sorted list of tasks that pass a filter, four bytes each.
type Order struct {
	By    Sorting
	rows  []int32  // indices into the board
	out   []uint64 // bits by index: the task is being moved; all zero between updates
	moved []int32  // scratch
}

// Rows are the tasks, by their indices in the board. Do not change them.
func (o *Order) Rows() []int32 { return o.rows }

// Rebuild makes the list anew, after the filter or the sorting changed.
func (o *Order) Rebuild(b Tasks, keep func(*model.Task) bool) {
	o.rows = slices.Grow(o.rows[:0], b.Len())
	for i := range b.Len() {
		if keep(b.At(i)) {
			o.rows = append(o.rows, int32(i))
		}
	}
	slices.SortFunc(o.rows, func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) })
}

// Update moves the changed tasks to their new places: a binary search each, and one
// pass over the list that compares nothing, some 0.1 ms for 100,000 tasks.
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
	order := func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) }
	slices.SortFunc(o.moved, order)
	o.rows = slices.DeleteFunc(o.rows, func(i int32) bool { return o.out[i/64]&(1<<(i%64)) != 0 })
	// Each goes to its place, the last one first; what stays behind it is shifted.
	stay := len(o.rows)
	o.rows = append(o.rows, o.moved...)
	for n, i := range slices.Backward(o.moved) {
		at, _ := slices.BinarySearchFunc(o.rows[:stay], i, order)
		copy(o.rows[at+n+1:], o.rows[at:stay])
		o.rows[at+n] = i
		stay = at
	}
	for _, i := range changed {
		o.out[i/64] = 0
	}
}

func (o *Order) compare(x, y *model.Task) int {
	c := 0
	switch o.By {
	case ByState:
		c = cmp.Compare(x.State().Info().Order, y.State().Info().Order)
	case ByActivity:
		if x.Active() != y.Active() {
			c = 1
			if x.Active() {
				c = -1
			}
		}
	case ByAge:
		c = y.Created().Compare(x.Created())
	case ByDuration:
		switch a, b := x.Active(), y.Active(); {
		case a && b:
			c = x.Created().Compare(y.Created())
		case a:
			return -1
		case b:
			return 1
		default:
			c = cmp.Compare(y.Took(time.Time{}), x.Took(time.Time{}))
		}
	}
	if c == 0 {
		c = cmp.Or(y.Heard().Compare(x.Heard()), strings.Compare(x.ID(), y.ID()))
	}
	return c
}
