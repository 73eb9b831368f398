package ui

import (
	"slices"
	"strconv"
	"time"

	"aspectop/ui/draw"
)

// paceColumns is how many stretches of each length are counted: three hours by
// the minute, half an hour by ten seconds.
const paceColumns = 180

// pace counts deliveries over time, in two grains: the last hours should be
// seen, and what has just begun as well.
type pace struct{ fine, coarse rate }

func newPace() pace {
	return pace{newRate(10*time.Second, paceColumns), newRate(time.Minute, paceColumns)}
}

func (p *pace) add(at time.Time) {
	p.fine.add(at)
	p.coarse.add(at)
}

// last returns the counts up to now and the length of the stretches: the fine
// ones if n of them hold all there is.
func (p *pace) last(now time.Time, n int) (counts []int, each time.Duration) {
	counts = p.coarse.last(now, paceColumns)
	within := n * int(p.fine.each/time.Second) / int(p.coarse.each/time.Second)
	for _, before := range counts[:paceColumns-min(within, paceColumns)] {
		if before > 0 {
			return counts, p.coarse.each
		}
	}
	return p.fine.last(now, paceColumns), p.fine.each
}

// drawThroughput draws the deliveries that pass the filter as columns, one for
// each of the latest stretches of time, as many as fit.
func (m *Model) drawThroughput(w, high int) []string {
	of := &m.log.pace
	if m.log.filtered {
		of = &m.log.matchedPace
	}
	counts, each := of.last(m.at, max(0, min(w-6, paceColumns)))
	name := "Deliveries per minute"
	if each < time.Minute {
		name = "Deliveries per " + draw.Ago(each)
	}
	axis := len(strconv.Itoa(max(1, slices.Max(counts)))) + 1
	counts = counts[len(counts)-max(1, min(w-axis-1, len(counts))):]
	sum, most := 0, max(1, slices.Max(counts))
	for _, n := range counts {
		sum += n
	}
	whole := draw.ShortAgo(time.Duration(len(counts)) * each)
	lines := []string{draw.Rule(m.th, name, strconv.Itoa(sum)+" in the last "+whole, w)}
	for row := high - 1; row >= 0; row-- {
		l := draw.NewLine(m.th, w)
		label := ""
		switch row {
		case high - 1:
			label = strconv.Itoa(most)
		case 0:
			label = "0"
		}
		l.Right(draw.Dim, label, axis-1).Space(1).Put(draw.Faint, draw.GlyphWall)
		for _, n := range counts {
			l.Put(draw.Busy, draw.ColumnPart(n, most, row, high))
		}
		lines = append(lines, l.String())
	}
	l := draw.NewLine(m.th, w).Space(axis).Put(draw.Faint, draw.Round.BottomLeft+draw.Repeat(draw.Round.Edge, len(counts)))
	return append(lines, l.String(), m.drawAgo(w, axis+1, len(counts), each))
}

// drawAgo labels n columns from the cell left on by how long ago they were.
func (m *Model) drawAgo(w, left, n int, each time.Duration) string {
	const apart = 12 // columns between labels, at least
	i := slices.IndexFunc(draw.Steps, func(step time.Duration) bool { return step >= apart*each })
	step := int(draw.Steps[i] / each)
	l := draw.NewLine(m.th, w)
	for back := n / step * step; back >= 0; back -= step {
		label := "now"
		if back > 0 {
			label = "-" + draw.ShortAgo(time.Duration(back)*each)
		}
		if end := left + n - back; end-len(label) >= l.Used() {
			l.To(end-len(label)).Put(draw.Dim, label)
		}
	}
	return l.String()
}
