package ui

import (
	"slices"
	"strconv"
	"time"
)

// paceMinutes is how far back deliveries are counted by the minute.
const paceMinutes = 180

func newPace() rate { return newRate(time.Minute, paceMinutes) }

// drawThroughput draws the deliveries that pass the filter as columns, one for
// each of the last minutes, as many as fit.
func (m *Model) drawThroughput(w, high int) []string {
	pace := &m.log.pace
	if m.log.filtered {
		pace = &m.log.matchedPace
	}
	counts := pace.last(m.at, paceMinutes)
	axis := len(strconv.Itoa(max(1, slices.Max(counts)))) + 1
	counts = counts[len(counts)-max(1, min(w-axis-1, len(counts))):]
	sum, most := 0, max(1, slices.Max(counts))
	for _, n := range counts {
		sum += n
	}
	lines := []string{m.drawRule("Deliveries a minute", count(sum, "delivery", "deliveries")+" in "+spanWord(len(counts)), w)}
	for row := high - 1; row >= 0; row-- {
		l := newLine(m.th, w)
		label := ""
		switch row {
		case high - 1:
			label = strconv.Itoa(most)
		case 0:
			label = "0"
		}
		l.right(dim, label, axis-1).space(1).put(faint, glyphWall)
		for _, n := range counts {
			l.put(busy, columnPart(n, most, row, high))
		}
		lines = append(lines, l.String())
	}
	l := newLine(m.th, w).space(axis).put(faint, boxRound.bottomLeft+repeat(boxRound.edge, len(counts)))
	return append(lines, l.String(), m.drawMinutes(w, axis+1, len(counts)))
}

// columnPart is what a column for n of most shows in a row, counted from below.
func columnPart(n, most, row, high int) string {
	steps := len(glyphSpark)
	full := n * steps * high / most
	if n > 0 {
		full = max(1, full)
	}
	switch full -= row * steps; {
	case full <= 0:
		return " "
	case full >= steps:
		return glyphSpark[steps-1]
	}
	return glyphSpark[full-1]
}

// drawMinutes labels the columns, the last of which is now.
func (m *Model) drawMinutes(w, left, n int) string {
	step := 15
	if n > 90 {
		step = 30
	}
	l := newLine(m.th, w)
	for ago := n / step * step; ago >= 0; ago -= step {
		label := "now"
		if ago > 0 {
			label = "-" + spanWord(ago)
		}
		if end := left + n - ago; end-len(label) >= l.used() {
			l.to(end-len(label)).put(dim, label)
		}
	}
	return l.String()
}

// spanWord is a number of minutes as people say it.
func spanWord(minutes int) string {
	switch {
	case minutes < 60:
		return strconv.Itoa(minutes) + "m"
	case minutes%60 == 0:
		return strconv.Itoa(minutes/60) + "h"
	}
	return ago(time.Duration(minutes) * time.Minute)
}
