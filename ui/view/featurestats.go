package view

import (
	"fmt"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

// maxFeatureRows is how many features the statistics list: as many as anybody
// reads.
const maxFeatureRows = 40

// stay is how long features stay in a state: the median, and what all but one
// in twenty do not exceed.
type stay struct {
	state    model.State
	p50, p95 time.Duration
	known    bool // a stay has ended
}

func stayOf(s model.State, d *model.Durations) stay {
	p50, ok := d.Quantile(0.5)
	p95, _ := d.Quantile(0.95)
	return stay{s, p50, p95, ok}
}

// featureRow is what the statistics say of one feature.
type featureRow struct {
	name  string
	stats *model.FeatureStats
	stays [2]stay // queued, processing
}

// featureRows lists the features and the longest time among them, which all
// bars are measured by.
func featureRows(stats *model.Stats) (rows []featureRow, more int, longest time.Duration) {
	names := stats.Features()
	if len(names) > maxFeatureRows {
		more = len(names) - maxFeatureRows
		names = names[:maxFeatureRows]
	}
	for _, name := range names {
		f := stats.Feature(name)
		row := featureRow{name, f, [2]stay{stayOf(model.Queued, f.Queued()), stayOf(model.Processing, f.Processing())}}
		for _, s := range row.stays {
			longest = max(longest, s.p95)
		}
		rows = append(rows, row)
	}
	return rows, more, longest
}

// drawFeatureStats draws two lines for each feature: how many tasks have it and
// how many of those went well; and how long it is queued and processing.
func drawFeatureStats(sc *screen.Screen, stats *model.Stats, w int) []string {
	rows, more, longest := featureRows(stats)
	name, label := 14, 13
	if w < 60 {
		name, label = max(10, w/4), 2
	}
	bar := w - name - 5 - label - 7 - 6
	lines := []string{draw.Rule(sc.Theme, "Features", "p50 "+draw.Repeat(draw.GlyphFull, 2)+" p95 "+draw.Repeat(draw.GlyphWait, 2), w)}
	l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, "FEATURE", name).Cell(draw.Dim, "OK", 5).Cell(draw.Dim, "STAYS", label+bar)
	lines = append(lines, l.Right(draw.Dim, "P50", 7).Right(draw.Dim, "P95", 6).String())
	for _, row := range rows {
		for i, s := range row.stays {
			l := draw.NewLine(sc.Theme, w)
			if i == 0 {
				putFeatureName(sc, l, &row, name)
			} else {
				l.Cell(draw.Dim, "  "+draw.Count(row.stats.Tasks(), "task", "tasks"), name+5)
			}
			told := draw.Glyph(s.state)
			if label > 2 {
				told += " " + draw.Word(s.state)
			}
			r := draw.StateRole(s.state)
			if model.Internal(row.name) {
				r = draw.Dim
			}
			l.Cell(r, told, label)
			if !s.known {
				lines = append(lines, l.Space(bar).Right(draw.Dim, "–", 7).Right(draw.Dim, "–", 6).String())
				continue
			}
			l.Spread(r, int64(s.p50), int64(s.p95), int64(longest), bar)
			lines = append(lines, l.Right(draw.Plain, draw.Tenths(s.p50), 7).Right(draw.Dim, draw.Tenths(s.p95), 6).String())
		}
	}
	if more > 0 {
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, fmt.Sprintf("and %d more features", more)).String())
	}
	return lines
}

// putFeatureName draws a feature's name and how often it went well.
func putFeatureName(sc *screen.Screen, l *draw.Line, row *featureRow, w int) {
	r := draw.Strong
	if model.Internal(row.name) {
		r = draw.Dim
	}
	l.Cell(r, row.name, w-1).Space(1)
	completed, failed := row.stats.In(model.Completed), row.stats.In(model.Failed)
	switch {
	case completed+failed == 0:
		l.Cell(draw.Dim, "–", 5)
	case failed > 0:
		l.Cell(draw.Warn, draw.Percent(completed, completed+failed), 5)
	default:
		l.Cell(draw.Good, draw.Percent(completed, completed), 5)
	}
}
