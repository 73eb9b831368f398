package view

import (
	"aspectop/feed"
	"aspectop/ui/draw"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

// previewOf shows a selection in words, in at most h lines of w cells.
func previewOf(sc *screen.Screen, s screen.Selection, w, h int) []string {
	var lines []string
	if s.Row != (feed.RowKey{}) {
		lines = append(look.DescribeRow(sc, s.Row, w), draw.Blank(sc.Theme, w))
	}
	if s.Task == nil {
		return lines
	}
	var facts []string
	if s.Row == (feed.RowKey{}) {
		facts = look.Flow(sc, look.BriefFacts(sc, s.Task), w)
	}
	return append(lines, look.Compose(sc, s.Task, facts, w, h)...)
}
