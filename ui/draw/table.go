package draw

import (
	"cmp"
	"slices"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
)

// Size is a possible width of a column with its blank, granted by rank, the least first.
type Size struct {
	rank, cells int
	kind        sizeKind
}

type sizeKind uint8

const (
	sizeWhole sizeKind = iota
	sizeExtra
	sizePart
)

// Whole is a size to be had whole, by all columns that have it at that rank or by
// none. Once one is refused, so are all of higher ranks, and the column grows no
// more.
func Whole(rank, cells int) Size { return Size{rank, cells, sizeWhole} }

// Extra is a size to be had whole; if it is refused, others may still fit.
func Extra(rank, cells int) Size { return Size{rank, cells, sizeExtra} }

// Part is a size that can be had in part; columns of one rank share evenly what is left.
func Part(rank, cells int) Size { return Size{rank, cells, sizePart} }

// Share divides w cells among columns. A column that gave way gets 0.
func Share(w int, columns ...[]Size) []int {
	type want struct {
		Size
		column int
	}
	var wants []want
	for i, sizes := range columns {
		for _, s := range sizes {
			wants = append(wants, want{s, i})
		}
	}
	slices.SortStableFunc(wants, func(a, b want) int { return cmp.Compare(a.rank, b.rank) })
	widths, refused, full := make([]int, len(columns)), make([]bool, len(columns)), false
	more := func(x want) int {
		if refused[x.column] {
			return 0
		}
		return max(0, x.cells-widths[x.column])
	}
	for len(wants) > 0 {
		n, missing := 0, 0
		for ; n < len(wants) && wants[n].rank == wants[0].rank; n++ {
			missing += more(wants[n])
		}
		short := missing > w
		for i, x := range wants[:n] {
			grant := more(x)
			switch {
			case x.kind == sizeWhole && (short || full):
				refused[x.column], full, grant = true, true, 0
			case short && x.kind == sizeExtra:
				grant = 0
			case short:
				grant = min(grant, max(0, w)/(n-i))
			}
			widths[x.column] += grant
			w -= grant
		}
		wants = wants[n:]
	}
	return widths
}

// Column is one column of a table with rows R.
type Column[R any] struct {
	Title string
	Right bool // the title stands at the right
	Sizes []Size
	// Draw draws a cell of w cells. What exceeds it replaces the cells behind.
	Draw func(l *Line, r R, w int)

	Width int // with the blank behind it; 0: it gave way. Set by [Table.Arrange].
}

// Table is the columns of a list. The cursor stands in the two cells before them.
type Table[R any] []Column[R]

const cursorWidth = 2

// Arrange divides w cells among the columns.
func (t Table[R]) Arrange(w int) {
	sizes := make([][]Size, len(t))
	for i := range t {
		sizes[i] = t[i].Sizes
	}
	for i, width := range Share(w-cursorWidth, sizes...) {
		t[i].Width = width
	}
}

// Head draws the titles, cut without an ellipsis.
func (t Table[R]) Head(th *Theme, w int) string {
	l := NewLine(th, w).Space(cursorWidth)
	for _, c := range t {
		title := ansi.TruncateWc(clean.Text(c.Title), max(0, c.Width-1), "")
		if c.Right {
			l.Right(Dim, title, c.Width-1)
		} else {
			l.Cell(Dim, title, c.Width-1)
		}
		l.Space(min(c.Width, 1))
	}
	return l.String()
}

// Row draws a row.
func (t Table[R]) Row(th *Theme, w int, r R, selected bool) string {
	l, at := NewRow(th, w, selected), cursorWidth
	for _, c := range t {
		if c.Width > 0 && (l.Used() < at || at == cursorWidth) {
			c.Draw(l.To(at), r, c.Width-1)
		}
		at += c.Width
	}
	return l.String()
}
