package view

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
	"aspectop/ui/screen"
)

// Cards shows the tasks of the Tasks view as cards, in the same order, by rows of cards.
type Cards struct {
	*Tasks
	top  int // first row of cards on screen
	row  int // of the selected card when the view was last arranged
	cols int // cards in a row
	head int // lines that name the columns of the cards: 1, or 0 on low screens
	w, h int // room for the cards
}

// NewCards returns the cards of the tasks in the list.
func NewCards(tasks *Tasks) *Cards { return &Cards{Tasks: tasks} }

// Height is how many lines the cards need in the width of the screen, as far as that has them.
func (v *Cards) Height(sc *screen.Screen) int {
	of := Cards{Tasks: v.Tasks, cols: max(1, sc.W/render.CardMin), h: sc.H}
	lines := 1
	if v.rows.Len() == 0 {
		lines = v.Tasks.Height(sc)
	}
	for row := 0; row < of.rowCount() && lines < sc.H; row++ {
		lines += of.height(sc, row)
	}
	return lines
}

// Changed keeps the selected card on its line; the Tasks view has moved the selection.
func (v *Cards) Changed(*screen.Screen, screen.Change) {
	if v.cols > 0 {
		row := v.Cursor / v.cols
		v.top, v.row = v.top+row-v.row, row
	}
}

func (v *Cards) Do(sc *screen.Screen, a keys.Action) (tea.Cmd, bool) {
	i, n := v.Cursor, v.rows.Len()
	row, col := draw.Window{Cursor: i / v.cols}, i%v.cols
	switch {
	case a == keys.Left:
		col = max(0, col-1)
	case a == keys.Right:
		col = min(col+1, v.cols-1)
	case a == keys.Top || a == keys.Bottom || !row.Move(a, v.rowCount(), v.page(sc)):
		return v.Tasks.Do(sc, a)
	}
	if n > 0 {
		v.choose(sc, min(row.Cursor*v.cols+col, n-1))
	}
	return nil, true
}

func (v *Cards) Click(sc *screen.Screen, x, y int) bool {
	if y -= v.head; y < 0 || x >= v.cols*v.cardWidth() {
		return false
	}
	for row := v.top; row < v.rowCount(); row++ {
		h := v.height(sc, row)
		if y < h {
			if i := row*v.cols + x/v.cardWidth(); i < v.rows.Len() {
				v.choose(sc, i)
				return true
			}
			return false
		}
		y -= h
	}
	return false
}

func (v *Cards) Arrange(sc *screen.Screen, w, h int) {
	v.head = 0
	if h >= 12 {
		v.head = 1
	}
	v.w, v.h = w, h-v.head
	if cols := max(1, w/render.CardMin); cols != v.cols {
		v.top = v.top * max(1, v.cols) / cols
		v.cols = cols
	}
	v.row = v.Cursor / v.cols
	v.top = max(v.top, v.firstAbove(sc, v.row))
	v.top = min(v.top, v.row, v.firstAbove(sc, v.rowCount()-1))
	v.top = max(0, v.top)
}

func (v *Cards) rowCount() int { return (v.rows.Len() + v.cols - 1) / v.cols }

func (v *Cards) cardWidth() int { return min(v.w/v.cols, render.CardMax) }

// page is the number of whole rows of cards on screen.
func (v *Cards) page(sc *screen.Screen) int {
	rows, left := 0, v.h
	for row := v.top; row < v.rowCount(); row++ {
		if left -= v.height(sc, row); left < 0 {
			break
		}
		rows++
	}
	return max(1, rows)
}

// firstAbove is the first row on the screen if last is the last whole one.
func (v *Cards) firstAbove(sc *screen.Screen, last int) int {
	left, row := v.h, last
	for row >= 0 {
		if left -= v.height(sc, row); left < 0 && row < last {
			break
		}
		row--
	}
	return row + 1
}

func (v *Cards) rowOf(sc *screen.Screen, row int) []*model.Task {
	var tasks []*model.Task
	for i := row * v.cols; i < min((row+1)*v.cols, v.rows.Len()); i++ {
		tasks = append(tasks, v.task(sc, i))
	}
	return tasks
}

// height is that of the row's highest card, at most that of the screen.
func (v *Cards) height(sc *screen.Screen, row int) int {
	h := 0
	for _, t := range v.rowOf(sc, row) {
		h = max(h, render.CardHeight(t))
	}
	return min(h, v.h)
}

func (v *Cards) Draw(sc *screen.Screen, w, h int) []string {
	if v.rows.Len() == 0 {
		return render.Empty(sc, false, w, h)
	}
	c := render.CardColumns(v.cardWidth())
	var lines []string
	if v.head > 0 {
		lines = append(lines, c.Heading(sc, min(v.cols, v.rows.Len()), w))
	}
	rest := draw.Blank(sc.Theme, w-v.cols*c.Width)
	for row := v.top; row < v.rowCount() && len(lines) < h; row++ {
		cards := v.drawRow(sc, &c, row)
		for y := range cards[0] {
			var l strings.Builder
			for _, card := range cards {
				l.WriteString(card[y])
			}
			l.WriteString(rest)
			lines = append(lines, l.String())
		}
	}
	return draw.PadHeight(sc.Theme, lines, w, h)
}

func (v *Cards) drawRow(sc *screen.Screen, c *render.CardCols, row int) [][]string {
	h := v.height(sc, row)
	cards := make([][]string, v.cols)
	for i, t := range v.rowOf(sc, row) {
		cards[i] = render.DrawCard(sc, c, t, h, row*v.cols+i == v.Cursor)
	}
	for i := range cards {
		if cards[i] == nil {
			cards[i] = draw.PadHeight(sc.Theme, nil, c.Width, h)
		}
	}
	return cards
}
