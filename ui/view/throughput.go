package view

import (
	"slices"
	"strconv"
	"time"

	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

// maxColumns is how many stretches of time are drawn at most.
const maxColumns = 180

// drawThroughput draws the deliveries that pass the filter as columns, one for
// each of the latest stretches of time, as many as fit.
func drawThroughput(sc *screen.Screen, w, high int) []string {
	counts, each := sc.Log.Pace().Last(sc.At, max(0, min(w-6, maxColumns)))
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
	lines := []string{draw.Rule(sc.Theme, name, strconv.Itoa(sum)+" in the last "+whole, w)}
	for row := high - 1; row >= 0; row-- {
		l := draw.NewLine(sc.Theme, w)
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
	l := draw.NewLine(sc.Theme, w).Space(axis).Put(draw.Faint, draw.Round.BottomLeft+draw.Repeat(draw.Round.Edge, len(counts)))
	return append(lines, l.String(), drawAgo(sc, w, axis+1, len(counts), each))
}

// drawAgo labels n columns from the cell left on by how long ago they were.
func drawAgo(sc *screen.Screen, w, left, n int, each time.Duration) string {
	const apart = 12 // columns between labels, at least
	i := slices.IndexFunc(draw.Steps, func(step time.Duration) bool { return step >= apart*each })
	step := int(draw.Steps[i] / each)
	l := draw.NewLine(sc.Theme, w)
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
