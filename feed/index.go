package feed

import (
	"slices"
	"sort"
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
	i = max(0, i-1)
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
