package draw

import (
	"strconv"
)

// Rule draws the title of a section: the name, a rule, and a note at its
// end if there is room.
func Rule(th *Theme, name, note string, w int) string {
	l := NewLine(th, w).Put(Strong, name).Space(1)
	if room := l.Free - Cells(note) - 1; note != "" && room > 2 {
		return l.Put(Faint, Repeat(GlyphRule, room)).Space(1).Put(Dim, note).String()
	}
	return l.Put(Faint, Repeat(GlyphRule, l.Free)).String()
}

// nameWidth is the width of a column of names beside a chart of w cells in all.
func nameWidth(names []string, w int) int {
	width := 8
	for _, s := range names {
		_, n, _ := Fit(s, max(8, min(20, w/3)))
		width = max(width, n)
	}
	return width
}

// part is how many of w cells stand for n of all. What there is gets a cell, and
// only what is all of it gets all of them.
func part(n, all int64, w int) int {
	if n <= 0 || all <= 0 || w <= 0 {
		return 0
	}
	if n >= all {
		return w
	}
	return int(max(1, min(int64(w)-1, (n*int64(w)+all/2)/all)))
}

// Bar draws n of all in w cells, as a thin line that grows thick.
func (l *Line) Bar(r Role, n, all int64, w int) *Line {
	full := part(n, all, w)
	return l.Put(r, Repeat(GlyphThick, full)).Put(Faint, Repeat(GlyphEmpty, w-full))
}

// Spread draws two lengths of one scale in w cells: full up to the first, light
// from there to the second.
func (l *Line) Spread(r Role, low, high, scale int64, w int) *Line {
	full, light := part(low, scale, w), part(high, scale, w)
	return l.Put(r, Repeat(GlyphFull, full)+Repeat(GlyphWait, light-full)).Space(w - max(full, light))
}

// Percent is a share in at most four cells. Only all of it is 100%, and only
// nothing is 0%.
func Percent(n, all int) string {
	p := 0
	switch {
	case n <= 0 || all <= 0:
	case n >= all:
		p = 100
	default:
		p = max(1, min(99, (n*200+all)/(2*all)))
	}
	return strconv.Itoa(p) + "%"
}

// ColumnPart is what a column for n of most shows in a row, counted from below.
func ColumnPart(n, most, row, high int) string {
	steps := len(GlyphSpark)
	full := n * steps * high / most
	if n > 0 {
		full = max(1, full)
	}
	switch full -= row * steps; {
	case full <= 0:
		return " "
	case full >= steps:
		return GlyphSpark[steps-1]
	}
	return GlyphSpark[full-1]
}
