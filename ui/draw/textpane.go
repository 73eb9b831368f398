package draw

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/keys"
)

// TextPane is a window on a text. It scrolls, wraps and searches.
type TextPane struct {
	doc  *Document
	top  int // first row on screen
	Wrap bool
	w, h int
	rows []docRow // where rows begin, if lines are wrapped
	made struct { // what rows were made for
		doc  *Document
		w    int
		wrap bool
	}
	search search

	painted      int // the line to which stretches belong
	stretches    []Stretch
	stretchesFor *Document
}

// Searching reports whether a word to search for is being typed.
func (p *TextPane) Searching() bool { return p.search.open }

// Searched reports whether the pane has a line for its search.
func (p *TextPane) Searched() bool { return p.search.height() > 0 }

func NewTextPane() TextPane { return TextPane{doc: &Document{}, Wrap: true} }

// Set shows another text, from its beginning.
func (p *TextPane) Set(t *Document) {
	p.doc, p.top = t, 0
	p.search.refresh(t)
}

// Replace shows another version of the text, from the same place on.
func (p *TextPane) Replace(t *Document) {
	if p.doc != t {
		p.doc = t
		p.search.refresh(t)
	}
}

// ToTop goes to the first row.
func (p *TextPane) ToTop() { p.top = 0 }

// len is the number of rows.
func (p *TextPane) len() int {
	if p.rows != nil {
		return len(p.rows)
	}
	return len(p.doc.lines)
}

// row is where row i begins and ends.
func (p *TextPane) row(i int) (line, from, to int) {
	if p.rows == nil {
		return i, int(p.doc.lines[i].from), p.doc.end(i)
	}
	r := p.rows[i]
	to = p.doc.end(int(r.line))
	if i+1 < len(p.rows) && p.rows[i+1].line == r.line {
		to = int(p.rows[i+1].from)
	}
	return int(r.line), int(r.from), to
}

// rowAt is the row that holds a byte of the text.
func (p *TextPane) rowAt(offset int) int {
	var i int
	var found bool
	if p.rows == nil {
		i, found = slices.BinarySearchFunc(p.doc.lines, offset, func(l docLine, at int) int { return int(l.from) - at })
	} else {
		i, found = slices.BinarySearchFunc(p.rows, offset, func(r docRow, at int) int { return int(r.from) - at })
	}
	if found {
		return i
	}
	return max(0, i-1)
}

// Arrange divides the text into rows, if it or the width changed, and keeps the top
// row in place.
func (p *TextPane) Arrange(w, h int) {
	p.h = max(1, h-p.search.height())
	p.w = w
	if p.made.doc != p.doc || p.made.wrap != p.Wrap || p.Wrap && p.made.w != w {
		at, same := 0, p.made.doc == p.doc
		if same && p.len() > 0 {
			_, at, _ = p.row(min(p.top, p.len()-1))
		}
		if p.rows = nil; p.Wrap {
			p.rows = p.doc.wrap(w)
		}
		p.made.doc, p.made.w, p.made.wrap = p.doc, w, p.Wrap
		if same {
			p.top = p.rowAt(at)
		}
	}
	p.top = max(0, min(p.top, p.len()-p.h))
}

// Do carries out an action and reports whether it meant something here; say is
// called with messages for the user.
func (p *TextPane) Do(a keys.Action, say func(string)) (tea.Cmd, bool) {
	switch a {
	case keys.Filter:
		return p.search.start(p.top), true
	case keys.NextMatch:
		p.step(1, say)
		return nil, true
	case keys.PrevMatch:
		p.step(-1, say)
		return nil, true
	case keys.Back:
		return nil, p.search.end()
	}
	return nil, Scroll(&p.top, a, p.len(), p.h)
}

// Draw returns h lines of w cells.
func (p *TextPane) Draw(th *Theme, w, h int) []string {
	rows := h - p.search.height()
	lines := make([]string, 0, h)
	for i := p.top; i < p.len() && len(lines) < rows; i++ {
		lines = append(lines, p.drawRow(th, i, w))
	}
	lines = PadHeight(th, lines, w, rows)
	if rows < h {
		lines = append(lines, p.search.draw(th, w))
	}
	return lines
}

// drawRow draws one row: its stretches in their roles, and what was searched for.
func (p *TextPane) drawRow(th *Theme, i, w int) string {
	line, from, to := p.row(i)
	l := NewLine(th, w).Space(indent(p.doc.lines[line].depth, w))
	cut := false
	if p.rows == nil {
		if n := chunk(p.doc.b[from:to], l.Free); from+n < to {
			to, cut = from+chunk(p.doc.b[from:to], max(1, l.Free-1)), true
		}
	}
	start := int(p.doc.lines[line].from)
	hits := p.search.within(p.doc, from, to)
	for _, stretch := range p.stretchesOf(line) {
		end := min(start+stretch.To, to)
		for from < end {
			next, r, current := end, stretch.Role, false
			if len(hits) > 0 {
				switch hit := hits[0]; {
				case hit.to <= from:
					hits = hits[1:]
					continue
				case hit.from > from:
					next = min(end, hit.from)
				default:
					next, r, current = min(end, hit.to), match, hit.current
				}
			}
			l.Selected = current
			l.Put(r, string(p.doc.b[from:next]))
			l.Selected = false
			from = next
		}
	}
	if cut {
		l.Put(Faint, GlyphEllipsis)
	}
	return l.String()
}

// stretchesOf are the stretches of a line. They are kept until another line is asked
// for, because a long line has many rows.
func (p *TextPane) stretchesOf(line int) []Stretch {
	if p.stretchesFor == p.doc && p.painted == line {
		return p.stretches
	}
	b := p.doc.b[p.doc.lines[line].from:p.doc.end(line)]
	p.stretchesFor, p.painted, p.stretches = p.doc, line, p.stretches[:0]
	if p.doc.Paint != nil {
		p.stretches = append(p.stretches, p.doc.Paint(b)...)
	}
	p.stretches = append(p.stretches, Stretch{len(b), Plain})
	return p.stretches
}

// Place tells which of the rows are on the screen, "" if all are.
func (p *TextPane) Place() string {
	if n := p.len(); n > p.h {
		return fmt.Sprintf("%d%%", min(p.top+p.h, n)*100/n)
	}
	return ""
}
