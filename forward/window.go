package forward

import "slices"

// window holds the numbers of the messages that were read from the journal and
// are not settled. They are added in growing order.
type window struct {
	open  map[int64]bool
	order []int64 // all that are open, and settled ones among them
}

func newWindow() window { return window{open: make(map[int64]bool)} }

func (w *window) add(seq int64) {
	w.open[seq] = true
	w.order = append(w.order, seq)
}

// settle takes the number out; others are ignored.
func (w *window) settle(seq int64) {
	delete(w.open, seq)
	if len(w.order) > 2*len(w.open)+64 {
		w.order = slices.DeleteFunc(w.order, func(seq int64) bool { return !w.open[seq] })
	}
}

func (w *window) len() int { return len(w.open) }

// least returns the smallest number in the window; ok is false if it is empty.
func (w *window) least() (seq int64, ok bool) {
	for len(w.order) > 0 && !w.open[w.order[0]] {
		w.order = w.order[1:]
	}
	if len(w.order) == 0 {
		return 0, false
	}
	return w.order[0], true
}
