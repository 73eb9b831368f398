package draw

import "aspectop/ui/keys"

// Window is a cursor and a viewport over n rows, h of which are on screen.
type Window struct {
	Cursor, Top int
}

// Set puts the cursor on row i and scrolls as little as needed.
func (w *Window) Set(i, n, h int) {
	w.Cursor = max(0, min(i, n-1))
	w.Top = min(w.Top, w.Cursor)
	w.Top = max(w.Top, w.Cursor-h+1)
	w.Top = max(0, min(w.Top, n-h))
}

// Move carries out a movement and reports whether a was one.
func (w *Window) Move(a keys.Action, n, h int) bool {
	i := w.Cursor
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
	w.Set(i, n, h)
	return true
}

// Scroll moves the first line of h that are shown out of n.
func Scroll(top *int, a keys.Action, n, h int) bool {
	w := Window{Cursor: *top, Top: *top}
	if !w.Move(a, n, h) {
		return false
	}
	*top = max(0, min(w.Cursor, n-h))
	return true
}
