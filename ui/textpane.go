package ui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/ui/keys"
)

// textPane is a window on a text. It scrolls, wraps and searches.
type textPane struct {
	doc  *document
	top  int // first row on screen
	wrap bool
	w, h int
	rows []docRow // where rows begin, if lines are wrapped
	made struct { // what rows were made for
		doc  *document
		w    int
		wrap bool
	}
	search search

	painted      int // the line to which stretches belong
	stretches    []stretch
	stretchesFor *document
}

func newTextPane() textPane { return textPane{doc: &document{}, wrap: true} }

// set shows another text, from its beginning.
func (p *textPane) set(t *document) {
	p.doc, p.top = t, 0
	p.search.refresh(t)
}

// replace shows another version of the text, from the same place on.
func (p *textPane) replace(t *document) {
	if p.doc != t {
		p.doc = t
		p.search.refresh(t)
	}
}

// len is the number of rows.
func (p *textPane) len() int {
	if p.rows != nil {
		return len(p.rows)
	}
	return len(p.doc.lines)
}

// row is where row i begins and ends.
func (p *textPane) row(i int) (line, from, to int) {
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
func (p *textPane) rowAt(offset int) int {
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

// arrange divides the text into rows, if that has to be done anew, and leaves
// what is read at the top where it is.
func (p *textPane) arrange(w, h int) {
	p.h = max(1, h-p.search.height())
	p.w = w
	if p.made.doc != p.doc || p.made.wrap != p.wrap || p.wrap && p.made.w != w {
		at, same := 0, p.made.doc == p.doc
		if same && p.len() > 0 {
			_, at, _ = p.row(min(p.top, p.len()-1))
		}
		if p.rows = nil; p.wrap {
			p.rows = p.doc.wrap(w)
		}
		p.made.doc, p.made.w, p.made.wrap = p.doc, w, p.wrap
		if same {
			p.top = p.rowAt(at)
		}
	}
	p.top = max(0, min(p.top, p.len()-p.h))
}

func (p *textPane) do(m *Model, a keys.Action) (tea.Cmd, bool) {
	switch a {
	case keys.Filter:
		return p.search.start(p.top), true
	case keys.NextMatch:
		p.step(m, 1)
		return nil, true
	case keys.PrevMatch:
		p.step(m, -1)
		return nil, true
	case keys.Back:
		return nil, p.search.end()
	}
	return nil, scroll(&p.top, a, p.len(), p.h)
}

// draw returns h lines of w cells.
func (p *textPane) draw(m *Model, w, h int) []string {
	rows := h - p.search.height()
	lines := make([]string, 0, h)
	for i := p.top; i < p.len() && len(lines) < rows; i++ {
		lines = append(lines, p.drawRow(m, i, w))
	}
	lines = tall(m.th, lines, w, rows)
	if rows < h {
		lines = append(lines, p.search.draw(m, w))
	}
	return lines
}

// drawRow draws one row: its stretches in their roles, and what was searched for.
func (p *textPane) drawRow(m *Model, i, w int) string {
	line, from, to := p.row(i)
	l := newLine(m.th, w).space(indent(p.doc.lines[line].depth, w))
	cut := false
	if p.rows == nil {
		if n := chunk(p.doc.b[from:to], l.free); from+n < to {
			to, cut = from+chunk(p.doc.b[from:to], max(1, l.free-1)), true
		}
	}
	start := int(p.doc.lines[line].from)
	hits := p.search.within(p.doc, from, to)
	for _, stretch := range p.stretchesOf(line) {
		end := min(start+stretch.to, to)
		for from < end {
			next, r, current := end, stretch.r, false
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
			l.selected = current
			l.put(r, string(p.doc.b[from:next]))
			l.selected = false
			from = next
		}
	}
	if cut {
		l.put(faint, glyphEllipsis)
	}
	return l.String()
}

// stretchesOf are the stretches of a line. They are kept until another line is asked
// for, because a long line has many rows.
func (p *textPane) stretchesOf(line int) []stretch {
	if p.stretchesFor == p.doc && p.painted == line {
		return p.stretches
	}
	b := p.doc.b[p.doc.lines[line].from:p.doc.end(line)]
	p.stretchesFor, p.painted, p.stretches = p.doc, line, p.stretches[:0]
	if p.doc.paint != nil {
		p.stretches = append(p.stretches, p.doc.paint(b)...)
	}
	p.stretches = append(p.stretches, stretch{len(b), plain})
	return p.stretches
}

// place tells which of the rows are on the screen, "" if all are.
func (p *textPane) place() string {
	if n := p.len(); n > p.h {
		return fmt.Sprintf("%d%%", min(p.top+p.h, n)*100/n)
	}
	return ""
}
