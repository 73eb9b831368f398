package ui

import (
	"fmt"
	"time"

	"aspectop/model"
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
func (m *Model) drawFeatureStats(stats *model.Stats, w int) []string {
	rows, more, longest := featureRows(stats)
	name, label := 14, 13
	if w < 60 {
		name, label = max(10, w/4), 2
	}
	bar := w - name - 5 - label - 7 - 6
	lines := []string{m.drawRule("Features", "p50 "+repeat(glyphFull, 2)+" p95 "+repeat(glyphWait, 2), w)}
	l := newLine(m.th, w).cell(dim, "FEATURE", name).cell(dim, "OK", 5).cell(dim, "STAYS", label+bar)
	lines = append(lines, l.right(dim, "P50", 7).right(dim, "P95", 6).String())
	for _, row := range rows {
		for i, s := range row.stays {
			l := newLine(m.th, w)
			if i == 0 {
				m.putFeatureName(l, &row, name)
			} else {
				l.cell(dim, "  "+count(row.stats.Tasks(), "task", "tasks"), name+5)
			}
			told := glyph(s.state)
			if label > 2 {
				told += " " + word(s.state)
			}
			r := stateRole(s.state)
			if model.Internal(row.name) {
				r = dim
			}
			l.cell(r, told, label)
			if !s.known {
				lines = append(lines, l.space(bar).right(dim, "–", 7).right(dim, "–", 6).String())
				continue
			}
			l.spread(r, int64(s.p50), int64(s.p95), int64(longest), bar)
			lines = append(lines, l.right(plain, tenths(s.p50), 7).right(dim, tenths(s.p95), 6).String())
		}
	}
	if more > 0 {
		lines = append(lines, newLine(m.th, w).put(dim, fmt.Sprintf("and %d more features", more)).String())
	}
	return lines
}

// putFeatureName draws a feature's name and how often it went well.
func (m *Model) putFeatureName(l *line, row *featureRow, w int) {
	r := strong
	if model.Internal(row.name) {
		r = dim
	}
	l.cell(r, row.name, w-1).space(1)
	completed, failed := row.stats.In(model.Completed), row.stats.In(model.Failed)
	switch {
	case completed+failed == 0:
		l.cell(dim, "–", 5)
	case failed > 0:
		l.cell(warn, percent(completed, completed+failed), 5)
	default:
		l.cell(good, percent(completed, completed), 5)
	}
}
