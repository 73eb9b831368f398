package view

import (
	"math"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

// rows are what a list shows. Each has a key that it keeps when it moves.
type rows[K comparable] interface {
	Len() int
	At(i int) K
	// Find returns the row with the key, else the one that would follow, -1 if unknown.
	Find(k K) int
	// Looking reports whether rows that pass the filter are still being searched.
	Looking() bool
}

// keysOf are rows that are all known.
type keysOf[K comparable] []K

func (r keysOf[K]) Len() int      { return len(r) }
func (r keysOf[K]) At(i int) K    { return r[i] }
func (r keysOf[K]) Find(k K) int  { return slices.Index(r, k) }
func (r keysOf[K]) Looking() bool { return false }

// list is a cursor and a window on rows. The cursor is held by key: while rows come and
// move, it stays on its row and, if possible, on its line.
type list[K comparable] struct {
	draw.Window
	rows   rows[K]
	h      int  // rows on screen
	head   int  // lines above the rows
	foot   int  // lines below them
	key    K    // of the selected row
	line   int  // of the window that the selected row is on
	follow bool // the newest row stays selected
	log    bool // the newest row is the last one; else it is the first
	silent bool // following is not reported

	// failed reports whether a row is a failure, and whether that is known.
	failed func(sc *screen.Screen, k K) (failed, known bool)
	none   string // the message if there is no failure

	// While following, the row selected before, which a key means until then.
	was   K
	until time.Time
}

// reaction is shorter than seeing that the selection has moved and pressing a key.
const reaction = 300 * time.Millisecond

// arrange gives the list h lines, of which head stand above the rows.
func (l *list[K]) arrange(sc *screen.Screen, h, head int) {
	if h = max(1, h-head); h != l.h || head != l.head {
		l.h, l.head = h, head
		l.hold(sc)
	}
}

// hold keeps the cursor on its row, or on the newest while following. A row that is not
// found is waited for while rows are being searched.
func (l *list[K]) hold(sc *screen.Screen) {
	n := l.rows.Len()
	if n == 0 {
		l.Set(0, 0, l.h)
		return
	}
	i := l.Cursor
	if l.follow {
		i = l.newest()
	} else if found := l.rows.Find(l.key); found >= 0 {
		i = min(found, n-1)
		l.Top = i - l.line
	}
	l.Set(i, n, l.h)
	k := l.rows.At(l.Cursor)
	if !l.follow && k != l.key && l.rows.Looking() {
		return
	}
	if k != l.key {
		l.was, l.until = l.key, sc.Now().Add(reaction)
	}
	l.key, l.line = k, l.Cursor-l.Top
}

// Height is how many lines all rows need. An empty list needs its room to say why.
func (l *list[K]) Height(*screen.Screen) int {
	if l.rows.Len() == 0 {
		return math.MaxInt / 2
	}
	return l.head + l.rows.Len() + l.foot
}

func (l *list[K]) newest() int {
	if l.log {
		return l.rows.Len() - 1
	}
	return 0
}

// selected is the key of the selected row or, with target, of the one that a key means.
func (l *list[K]) selected(sc *screen.Screen, target bool) (k K, ok bool) {
	n := l.rows.Len()
	if n == 0 {
		return k, false
	}
	if target && l.follow && sc.Now().Before(l.until) {
		if i := l.rows.Find(l.was); i >= 0 && i < n && l.rows.At(i) == l.was {
			return l.was, true
		}
	}
	return l.rows.At(l.Cursor), true
}

// Has reports whether the list can follow, open and preview: it is not sorted.
func (l *list[K]) Has(_ *screen.Screen, a keys.Action) bool { return a != keys.Sort }

// Do carries out an action and reports whether it meant something here.
func (l *list[K]) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Follow:
		l.follow = !l.follow
		sc.SayFollow(l.follow)
	case keys.NextMatch:
		l.toFailure(sc, 1)
	case keys.PrevMatch:
		l.toFailure(sc, -1)
	default:
		if !l.Move(a, l.rows.Len(), l.h) {
			return nil, false
		}
		l.choose(sc, l.Cursor)
	}
	l.hold(sc)
	return nil, true
}

// choose selects row i, and stops following if that is not the newest.
func (l *list[K]) choose(sc *screen.Screen, i int) {
	n := l.rows.Len()
	if n == 0 {
		return
	}
	l.Set(i, n, l.h)
	l.key, l.line, l.until = l.rows.At(l.Cursor), l.Cursor-l.Top, time.Time{}
	if follow := l.Cursor == l.newest() && (l.follow || l.log); follow != l.follow {
		if l.follow = follow; !l.silent {
			sc.SayFollow(follow)
		}
	}
}

// toFailure selects the next failure. A log ends at its ends and at unread rows; other
// lists wrap around.
func (l *list[K]) toFailure(sc *screen.Screen, step int) {
	n := l.rows.Len()
	for i, left := l.Cursor+step, n; left > 0 && (!l.log || i >= 0 && i < n); i, left = i+step, left-1 {
		i = (i + n) % n
		failed, known := l.failed(sc, l.rows.At(i))
		if failed {
			l.choose(sc, i)
			return
		}
		if !known {
			break
		}
	}
	sc.Say(l.none)
}

// Click selects the row at line y and reports whether there is one.
func (l *list[K]) Click(sc *screen.Screen, _, y int) bool {
	row := l.Top + y - l.head
	if y < l.head || row >= l.rows.Len() {
		return false
	}
	l.choose(sc, row)
	return true
}

// Shown is the number of rows, and whether more are being searched.
func (l *list[K]) Shown(*screen.Screen) (n int, looking bool) { return l.rows.Len(), l.rows.Looking() }

// drawRows appends the rows on screen to lines, up to h in all.
func (l *list[K]) drawRows(lines []string, h int, row func(k K, selected bool) string) []string {
	for i := l.Top; i < l.rows.Len() && len(lines) < h; i++ {
		lines = append(lines, row(l.rows.At(i), i == l.Cursor))
	}
	return lines
}
