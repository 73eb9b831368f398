package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// boardView shows the tasks of the Tasks view as cards, in the same order and
// with the same one selected. Cards stand in rows of equal height that scroll
// as a whole.
type boardView struct {
	tasks *tasksView
	top   int // first row of cards on screen
	row   int // of the selected card when the view was last arranged
	cols  int // cards in a row
	head  int // lines that name the columns of the cards: 1, or 0 on low screens
	w, h  int // room for the cards
}

func (v *boardView) title() string { return "Board" }

// changed keeps the selected card where it is on the screen when the order of
// the tasks changes; the Tasks view has moved the selection already.
func (v *boardView) changed(*Model, change) {
	if v.cols > 0 {
		row := v.tasks.rows.Cursor / v.cols
		v.top, v.row = v.top+row-v.row, row
	}
}

func (v *boardView) selection(m *Model) selection { return v.tasks.selection(m) }

func (v *boardView) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	i, n := v.tasks.rows.Cursor, len(v.tasks.order.rows)
	rows, page := v.rowCount(), v.page(m)
	row, col := i/v.cols, i%v.cols
	switch a {
	case keys.Left:
		col--
	case keys.Right:
		col++
	case keys.Up:
		row--
	case keys.Down:
		row++
	case keys.HalfUp:
		row -= max(1, page/2)
	case keys.HalfDown:
		row += max(1, page/2)
	case keys.PageUp:
		row -= max(1, page-1)
	case keys.PageDown:
		row += max(1, page-1)
	default:
		return v.tasks.do(m, a)
	}
	if n > 0 {
		row, col = max(0, min(row, rows-1)), max(0, min(col, v.cols-1))
		v.choose(m, min(row*v.cols+col, n-1))
	}
	return nil, true
}

// choose selects the card of task i in the order.
func (v *boardView) choose(m *Model, i int) {
	v.tasks.rows.Set(i, len(v.tasks.order.rows), v.tasks.h)
	v.tasks.moved(m)
}

func (v *boardView) click(m *Model, x, y int) {
	if y -= v.head; y < 0 || x >= v.cols*v.cardWidth() {
		return
	}
	for row := v.top; row < v.rowCount(); row++ {
		h := v.height(m, row)
		if y < h {
			if i := row*v.cols + x/v.cardWidth(); i < len(v.tasks.order.rows) {
				v.choose(m, i)
			}
			return
		}
		y -= h
	}
}

func (v *boardView) arrange(m *Model, w, h int) {
	v.head = 0
	if h >= 12 {
		v.head = 1
	}
	v.w, v.h = w, h-v.head
	if cols := max(1, w/cardMin); cols != v.cols {
		v.top = v.top * max(1, v.cols) / cols
		v.cols = cols
	}
	v.row = v.tasks.rows.Cursor / v.cols
	v.top = max(v.top, v.firstAbove(m, v.row))
	v.top = min(v.top, v.row, v.firstAbove(m, v.rowCount()-1))
	v.top = max(0, v.top)
}

func (v *boardView) rowCount() int { return (len(v.tasks.order.rows) + v.cols - 1) / v.cols }

func (v *boardView) cardWidth() int { return min(v.w/v.cols, cardMax) }

// page is the number of whole rows of cards on screen.
func (v *boardView) page(m *Model) int {
	rows, left := 0, v.h
	for row := v.top; row < v.rowCount(); row++ {
		if left -= v.height(m, row); left < 0 {
			break
		}
		rows++
	}
	return max(1, rows)
}

// firstAbove is the first row from which on all rows up to the last one, which
// is included, are whole on the screen.
func (v *boardView) firstAbove(m *Model, last int) int {
	left, row := v.h, last
	for row >= 0 {
		if left -= v.height(m, row); left < 0 && row < last {
			break
		}
		row--
	}
	return row + 1
}

// rowOf are the tasks whose cards stand in the row.
func (v *boardView) rowOf(row int) []int32 {
	rows := v.tasks.order.rows
	return rows[min(row*v.cols, len(rows)):min((row+1)*v.cols, len(rows))]
}

// height is that of the highest card of the row, which may not be higher than
// the screen.
func (v *boardView) height(m *Model, row int) int {
	h := 0
	for _, i := range v.rowOf(row) {
		h = max(h, cardHeight(m.board.At(int(i))))
	}
	return min(h, v.h)
}

func (v *boardView) draw(m *Model, w, h int) []string {
	if len(v.tasks.order.rows) == 0 {
		return m.drawEmpty(w, h)
	}
	c := cardColumns(v.cardWidth())
	var lines []string
	if v.head > 0 {
		lines = append(lines, v.drawHeading(m, &c, w))
	}
	rest := draw.Blank(m.th, w-v.cols*c.width)
	for row := v.top; row < v.rowCount() && len(lines) < h; row++ {
		cards := v.drawRow(m, &c, row)
		for y := range cards[0] {
			var l strings.Builder
			for _, card := range cards {
				l.WriteString(card[y])
			}
			l.WriteString(rest)
			lines = append(lines, l.String())
		}
	}
	return draw.Tall(m.th, lines, w, h)
}

// drawRow draws the cards of a row, and nothing in the places behind the last.
func (v *boardView) drawRow(m *Model, c *cardCols, row int) [][]string {
	h := v.height(m, row)
	cards := make([][]string, v.cols)
	for i, task := range v.rowOf(row) {
		cards[i] = m.drawCard(c, m.board.At(int(task)), h, row*v.cols+i == v.tasks.rows.Cursor)
	}
	for i := range cards {
		if cards[i] == nil {
			cards[i] = draw.Tall(m.th, nil, c.width, h)
		}
	}
	return cards
}

// drawHeading names the columns of the cards.
func (v *boardView) drawHeading(m *Model, c *cardCols, w int) string {
	processing := "PROCESSING"
	if c.processing < len(processing) {
		processing = "PROC"
	}
	l := draw.NewLine(m.th, w)
	for i := range min(v.cols, len(v.tasks.order.rows)) {
		l.To(i*c.width+2).Cell(draw.Dim, "FEATURE", c.name).Space(1)
		l.Cell(draw.Dim, "QUEUED", c.queued).Space(1)
		l.Cell(draw.Dim, processing, c.processing).Space(1)
		l.Cell(draw.Dim, "END", c.end)
	}
	return l.String()
}
