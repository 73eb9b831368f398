package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// sorting is an order of the task list.
type sorting uint8

const (
	byNews     sorting = iota // newest news first
	byState                   // failed first, then what moves, then what is done
	byAge                     // newest task first
	byDuration                // longest first; what still runs before what is done
	sortings
)

func (s sorting) String() string {
	return [...]string{"newest news", "state", "age", "duration"}[s]
}

// taskOrder is the list of tasks that pass the filter, in order.
type taskOrder struct {
	by    sorting
	rows  []int32 // indices into the board
	spare []int32 // rows of the last update, to be used again
	out   []bool  // by index: is being moved; all false between updates
	moved []int32 // scratch
}

// rebuild makes the list anew: after the filter or the sorting changed. It
// costs n log n in the number of tasks.
func (o *taskOrder) rebuild(b *screen.Board, keep func(*model.Task) bool) {
	o.rows = o.rows[:0]
	for i := range b.Len() {
		if keep(b.At(i)) {
			o.rows = append(o.rows, int32(i))
		}
	}
	slices.SortFunc(o.rows, func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) })
}

// update takes the changed tasks to their new places. It costs one walk over
// the list, and sorting only what changed.
func (o *taskOrder) update(b *screen.Board, changed []int32, keep func(*model.Task) bool) {
	if len(changed) == 0 {
		return
	}
	o.out = append(o.out, make([]bool, b.Len()-len(o.out))...)
	o.moved = o.moved[:0]
	for _, i := range changed {
		o.out[i] = true
		if keep(b.At(int(i))) {
			o.moved = append(o.moved, i)
		}
	}
	slices.SortFunc(o.moved, func(x, y int32) int { return o.compare(b.At(int(x)), b.At(int(y))) })
	out, moved := o.spare[:0], o.moved
	for _, i := range o.rows {
		if o.out[i] {
			continue
		}
		for len(moved) > 0 && o.compare(b.At(int(moved[0])), b.At(int(i))) < 0 {
			out, moved = append(out, moved[0]), moved[1:]
		}
		out = append(out, i)
	}
	o.spare, o.rows = o.rows, append(out, moved...)
	for _, i := range changed {
		o.out[i] = false
	}
}

func (o *taskOrder) compare(x, y *model.Task) int {
	c := 0
	switch o.by {
	case byState:
		c = cmp.Compare(stateWeight(x.State()), stateWeight(y.State()))
	case byAge:
		c = y.Created().Compare(x.Created())
	case byDuration:
		if a, b := look.Active(x), look.Active(y); a != b {
			if a {
				return -1
			}
			return 1
		} else if a {
			c = x.Created().Compare(y.Created())
		} else {
			c = cmp.Compare(look.Duration(y, time.Time{}), look.Duration(x, time.Time{}))
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
