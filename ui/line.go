package ui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"aspectop/printer"
)

// line builds one line of a frame, exactly width cells wide. Every text goes
// through put, which cleans it, so nothing from outside reaches the terminal
// in another way.
type line struct {
	b        []byte
	th       *theme
	width    int
	free     int // cells not yet used
	selected bool
	cut      bool // something that was put did not fit
}

func newLine(th *theme, width int) *line {
	return &line{b: make([]byte, 0, width+64), th: th, width: width, free: width}
}

// used is the column at which the next text starts.
func (l *line) used() int { return l.width - l.free }

// put appends s, cut with an ellipsis if it does not fit.
func (l *line) put(r role, s string) *line { return l.write(r, s, l.free) }

// cell appends s in exactly w cells, cut or padded on the right.
func (l *line) cell(r role, s string, w int) *line {
	w = min(w, l.free)
	before := l.free
	l.write(r, s, w)
	return l.space(w - (before - l.free))
}

// right appends s in exactly w cells, cut or padded on the left.
func (l *line) right(r role, s string, w int) *line {
	w = min(w, l.free)
	s, n, _ := fit(s, w)
	return l.space(w-n).write(r, s, n)
}

// space appends n blanks.
func (l *line) space(n int) *line {
	n = min(n, l.free)
	if n <= 0 {
		return l
	}
	l.style(plain)
	for range n {
		l.b = append(l.b, ' ')
	}
	l.free -= n
	return l
}

// to pads up to the column.
func (l *line) to(column int) *line { return l.space(column - l.used()) }

// String ends the line: it is padded to its width and its styles are closed.
func (l *line) String() string {
	l.space(l.free)
	l.b = append(l.b, "\x1b[m"...)
	return string(l.b)
}

func (l *line) write(r role, s string, w int) *line {
	s, n, cut := fit(s, min(w, l.free))
	l.cut = l.cut || cut
	if n == 0 {
		return l
	}
	l.style(r)
	l.b = append(l.b, s...)
	l.free -= n
	return l
}

func (l *line) style(r role) {
	if l.selected {
		l.b = append(l.b, l.th.selected[r]...)
	} else {
		l.b = append(l.b, l.th.on[r]...)
	}
}

// fit cleans s and cuts it to w cells. It returns what is left, its width, and
// whether anything was cut off. Its cost grows with w, not with the length of s.
func fit(s string, w int) (fitted string, width int, cut bool) {
	if w <= 0 {
		return "", 0, s != ""
	}
	// No character that is drawn needs more than 16 bytes with the marks that
	// Clean leaves it, so the rest of a long text need not be looked at.
	if limit := 16*w + 16; len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s, cut = s[:limit], true
	}
	s = printer.Clean(s)
	if width = cells(s); width > w {
		cut = true
	}
	if !cut {
		return s, width, false
	}
	if width == len(s) { // ASCII: a cell is a byte
		s = s[:min(len(s), w-1)] + glyphEllipsis
		return s, min(width, w-1) + 1, true
	}
	s = ansi.Truncate(s, w-1, "") + glyphEllipsis
	return s, cells(s), true
}

// ascii reports whether each byte of a cleaned text is one cell.
func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// cells is the width of a cleaned text.
func cells(s string) int {
	if ascii(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// blank is an empty line.
func blank(th *theme, width int) string { return newLine(th, width).String() }

// beside joins two blocks of lines of equal height.
func beside(left, right []string) []string {
	lines := make([]string, len(left))
	for i := range left {
		lines[i] = left[i] + right[i]
	}
	return lines
}

// tall cuts or fills a block to exactly h lines.
func tall(th *theme, lines []string, w, h int) []string {
	if len(lines) > h {
		return lines[:max(0, h)]
	}
	for len(lines) < h {
		lines = append(lines, blank(th, w))
	}
	return lines
}

// repeat is s as often as it fits into w cells, for glyphs of one cell.
func repeat(s string, w int) string { return strings.Repeat(s, max(0, w)) }
