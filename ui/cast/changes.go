package cast

import (
	"fmt"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// apart is the least number of cells, all the same, that separate two changes of a row: to
// place the cursor costs as much as to write them again.
const apart = 10

// cellsOf are the cells of a frame.
func cellsOf(f *frame) *uv.ScreenBuffer {
	b := uv.NewScreenBuffer(f.w, f.h)
	uv.NewStyledString(f.text).Draw(b, b.Bounds())
	return &b
}

// pen writes cells, each with what differs from the style and the place before it.
type pen struct {
	strings.Builder
	style uv.Style
	x, y  int // where the terminal's cursor is; x is -1 if unknown
}

// changes turns a terminal that shows from, nil for nothing, into one that shows to, of the
// same size. It begins and ends without a style.
func changes(from, to *uv.ScreenBuffer) string {
	p := pen{x: -1}
	w, h := to.Width(), to.Height()
	same := func(x, y int) bool {
		if from == nil {
			return to.CellAt(x, y).Equal(&uv.EmptyCell)
		}
		return from.CellAt(x, y).Equal(to.CellAt(x, y))
	}
	if from == nil {
		p.WriteString("\x1b[?25l\x1b[m\x1b[2J") // no cursor, nothing else
	}
	for y := range h {
		blank := w // from there on the row is empty
		for blank > 0 && to.CellAt(blank-1, y).Equal(&uv.EmptyCell) {
			blank--
		}
		for x := 0; x < w; x++ {
			if same(x, y) {
				continue
			}
			if x >= blank {
				p.to(x, y)
				p.in(&uv.Style{})
				p.WriteString("\x1b[K")
				break
			}
			for x > 0 && to.CellAt(x, y).Width == 0 { // within a wide character
				x--
			}
			if p.y == y && p.x >= 0 && p.x < x && x-p.x < apart {
				for at := p.x; at < x && p.x >= 0; at = p.x {
					p.cell(to.CellAt(at, y))
				}
			}
			p.to(x, y)
			c := to.CellAt(x, y)
			p.cell(c)
			x += max(1, c.Width) - 1
		}
	}
	p.in(&uv.Style{})
	return p.String()
}

func (p *pen) to(x, y int) {
	if p.x != x || p.y != y {
		fmt.Fprintf(p, "\x1b[%d;%dH", y+1, x+1)
		p.x, p.y = x, y
	}
}

func (p *pen) in(style *uv.Style) {
	if !p.style.Equal(style) {
		if style.IsZero() {
			p.WriteString(ansi.ResetStyle)
		} else {
			p.WriteString(style.Diff(&p.style))
		}
		p.style = *style
	}
}

func (p *pen) cell(c *uv.Cell) {
	p.in(&c.Style)
	p.WriteString(c.Content)
	if p.x += max(1, c.Width); utf8.RuneCountInString(c.Content) > 1 {
		p.x = -1 // terminals disagree on how wide that is
	}
}
