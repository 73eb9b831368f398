package view

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// maxFeatureRows is how many features the statistics list.
const maxFeatureRows = 40

// interval is how long features are in a state: the median, and what all but one
// in twenty do not exceed.
type interval struct {
	state    model.State
	p50, p95 time.Duration
	known    bool // one has ended
}

func intervalOf(s model.State, d *model.Durations) interval {
	p50, ok := d.Quantile(0.5)
	p95, _ := d.Quantile(0.95)
	return interval{s, p50, p95, ok}
}

// featureRow is what the statistics say of one feature.
type featureRow struct {
	name      string
	stats     *model.FeatureStats
	intervals [2]interval // queued, processing
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
		row := featureRow{name, f, [2]interval{intervalOf(model.Queued, f.Queued()), intervalOf(model.Processing, f.Processing())}}
		for _, s := range row.intervals {
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
	l := draw.NewLine(sc.Theme, w).Cell(draw.Dim, "FEATURE", name).Cell(draw.Dim, "OK", 5).Cell(draw.Dim, "TIME IN", label+bar)
	lines = append(lines, l.Right(draw.Dim, "P50", 7).Right(draw.Dim, "P95", 6).String())
	for _, row := range rows {
		for i, s := range row.intervals {
			l := draw.NewLine(sc.Theme, w)
			if i == 0 {
				putFeatureName(sc, l, &row, name)
			} else {
				l.Cell(draw.Dim, "  "+words.Count(row.stats.Tasks(), "task", "tasks"), name+5)
			}
			told := draw.Glyph(s.state)
			if label > 2 {
				told += " " + s.state.Word()
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
			lines = append(lines, l.Right(draw.Plain, words.Tenths(s.p50), 7).Right(draw.Dim, words.Tenths(s.p95), 6).String())
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

// drawTaskStates draws how many tasks are in each state.
func drawTaskStates(sc *screen.Screen, n *tally, w int) []string {
	total := n.tasks
	if n.stats == nil {
		total = sc.Board.Len()
	}
	note := words.Count(total, "task", "tasks")
	lines := []string{draw.Rule(sc.Theme, "Tasks", note, w)}
	bar := w - 13 - 1 - 6 - 5
	for _, s := range model.CountedStates() {
		in := n.in(sc, s)
		r := draw.StateRole(s)
		if in == 0 {
			r = draw.Dim
		}
		l := draw.NewLine(sc.Theme, w).Cell(r, draw.Glyph(s)+" "+s.Word(), 13)
		l.Bar(r, int64(in), int64(total), bar).Space(1)
		lines = append(lines, l.Right(draw.Plain, strconv.Itoa(in), 6).Right(draw.Dim, draw.Percent(in, total), 5).String())
	}
	completed, failed := n.in(sc, model.Completed), n.in(sc, model.Failed)
	l := draw.NewLine(sc.Theme, w)
	if ended := completed + failed; ended > 0 {
		l.Put(draw.Plain, draw.Percent(completed, ended)).Put(draw.Dim, fmt.Sprintf(" success: %d of %d", completed, ended))
	} else {
		l.Put(draw.Dim, "no task has completed or failed yet")
	}
	return append(lines, l.String())
}

// taskLine draws one of the tasks that stand out: which one, and how long.
func taskLine(sc *screen.Screen, t *model.Task, told string, r draw.Role, selected bool, w int) string {
	l := draw.NewLine(sc.Theme, w)
	if l.Selected = selected; selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	s := t.State()
	l.Put(draw.StateRole(s), draw.Glyph(s)+" ")
	l.Cell(draw.Plain, draw.Short(t.ID(), 8), 9)
	l.Cell(draw.Dim, sc.AssetName(t), l.Free-len(told)-1).Space(1)
	return l.Right(r, told, len(told)).String()
}

// maxColumns is how many stretches of time are drawn at most.
const maxColumns = 180

// drawThroughput draws the deliveries that pass the filter as columns, one for
// each of the latest stretches of time, as many as fit.
func drawThroughput(sc *screen.Screen, w, high int) []string {
	counts, each := sc.Log.Pace().Last(sc.At, max(0, min(w-6, maxColumns)))
	name := "Deliveries per minute"
	if each < time.Minute {
		name = "Deliveries per " + words.Ago(each)
	}
	axis := len(strconv.Itoa(max(1, slices.Max(counts)))) + 1
	counts = counts[len(counts)-max(1, min(w-axis-1, len(counts))):]
	sum, most := 0, max(1, slices.Max(counts))
	for _, n := range counts {
		sum += n
	}
	whole := words.ShortAgo(time.Duration(len(counts)) * each)
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
			label = "-" + words.ShortAgo(time.Duration(back)*each)
		}
		if end := left + n - back; end-len(label) >= l.Used() {
			l.To(end-len(label)).Put(draw.Dim, label)
		}
	}
	return l.String()
}
