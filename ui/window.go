package ui

import "aspectop/ui/keys"

// window is a cursor and a viewport over n rows, h of which are on screen. Rows
// are numbers here; what keeps a selection on its task when rows move is the
// view that owns the window.
type window struct {
	cursor, top int
}

// set puts the cursor on row i and scrolls as little as needed.
func (w *window) set(i, n, h int) {
	w.cursor = max(0, min(i, n-1))
	w.top = min(w.top, w.cursor)
	w.top = max(w.top, w.cursor-h+1)
	w.top = max(0, min(w.top, n-h))
}

// shift follows the selected row to i without moving it on the screen, as far
// as that is possible, so that what the reader looks at stays where it is.
func (w *window) shift(i, n, h int) {
	w.top += i - w.cursor
	w.set(i, n, h)
}

// move carries out a movement and reports whether a was one.
func (w *window) move(a keys.Action, n, h int) bool {
	i := w.cursor
	switch a {
	case keys.Up:
		i--
	case keys.Down:
		i++
	case keys.HalfUp:
		i -= max(1, h/2)
	case keys.HalfDown:
		i += max(1, h/2)
	case keys.PageUp:
		i -= max(1, h-1)
	case keys.PageDown:
		i += max(1, h-1)
	case keys.Top:
		i = 0
	case keys.Bottom:
		i = n - 1
	default:
		return false
	}
	w.set(i, n, h)
	return true
}
