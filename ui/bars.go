package ui

import (
	"fmt"
	"strconv"
	"time"
)

// drawRule draws the title of a section: the name, a rule, and a note at its
// end if there is room.
func (m *Model) drawRule(name, note string, w int) string {
	l := newLine(m.th, w).put(strong, name).space(1)
	if room := l.free - cells(note) - 1; note != "" && room > 2 {
		return l.put(faint, repeat(glyphRule, room)).space(1).put(dim, note).String()
	}
	return l.put(faint, repeat(glyphRule, l.free)).String()
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

// bar draws n of all in w cells, as a thin line that grows thick.
func (l *line) bar(r role, n, all int64, w int) *line {
	full := part(n, all, w)
	return l.put(r, repeat(glyphThick, full)).put(faint, repeat(glyphEmpty, w-full))
}

// spread draws two lengths of one scale in w cells: full up to the first, light
// from there to the second.
func (l *line) spread(r role, low, high, scale int64, w int) *line {
	full, light := part(low, scale, w), part(high, scale, w)
	return l.put(r, repeat(glyphFull, full)+repeat(glyphWait, light-full)).space(w - max(full, light))
}

// percent is a share in at most four cells. Only all of it is 100%, and only
// nothing is 0%.
func percent(n, all int) string {
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

// tenths is a duration that need not be exact to the second, in at most five
// cells; below ten seconds it has a tenth.
func tenths(d time.Duration) string {
	if d < 9950*time.Millisecond {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return ago(d.Round(time.Second))
}
