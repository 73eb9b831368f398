package draw

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"aspectop/model"
)

// Gantt is the timeline of a task: a bar for each feature, and an axis below.
type Gantt struct {
	From, To time.Time // the first and the last instant
	Now      time.Time // marked if work goes on
	Working  bool
	Bars     []GanttBar
}

// GanttBar is a feature and the states that it was in.
type GanttBar struct {
	model.Feature
	Intervals []model.Interval
}

// Draw draws the chart in w cells, or nothing without a beginning or room.
func (g *Gantt) Draw(th *Theme, w int) []string {
	if g.From.IsZero() {
		return nil
	}
	name := max(8, g.NameWidth(w))
	c := scale{g.From, g.To, w - name - 2}
	if c.w < 8 {
		return nil
	}
	now := -1
	if g.Working {
		now = c.cell(g.Now)
	}
	var lines []string
	for _, b := range g.Bars {
		l := NewLine(th, w).Cell(Dim, b.Name, name).Space(2)
		l.putBar(c.bar(b.Intervals), now)
		lines = append(lines, l.String())
	}
	l := NewLine(th, w).Cell(Faint, Clock(g.From), name).Space(2)
	l.putAxis(c, now)
	return append(lines, l.String())
}

// NameWidth is the width of a column of the names, beside a chart of w cells in all.
func (g *Gantt) NameWidth(w int) (width int) {
	for _, b := range g.Bars {
		_, n, _ := Fit(b.Name, max(8, min(20, w/3)))
		width = max(width, n)
	}
	return width
}

// scale maps instants to cells: from to the first one, to to the last one.
type scale struct {
	from, to time.Time
	w        int
}

// cell is the cell of an instant, the first or the last one if it is outside the scale.
func (s scale) cell(t time.Time) int {
	whole := s.to.Sub(s.from)
	if whole <= 0 || s.w <= 1 {
		return 0
	}
	at := float64(t.Sub(s.from)) / float64(whole) * float64(s.w-1)
	return int(math.Round(min(max(at, 0), float64(s.w-1))))
}

// ganttCell is one cell of a bar: an interval in a state, the sign of a terminal
// state, the rest of that until work was taken up again, or nothing.
type ganttCell struct {
	state      model.State
	sign, rest bool
}

// bar gives each interval a cell at least. If there are too few, the last intervals win.
func (s scale) bar(intervals []model.Interval) []ganttCell {
	cells := make([]ganttCell, max(0, s.w))
	if len(intervals) == 0 || s.w <= 0 {
		return cells
	}
	starts := make([]int, len(intervals))
	for i := range intervals {
		starts[i] = s.cell(intervals[i].From)
		if i > 0 {
			starts[i] = max(starts[i], starts[i-1]+1)
		}
	}
	for i, limit := len(starts)-1, s.w-1; i >= 0; i-- {
		starts[i] = min(starts[i], limit)
		limit = max(0, starts[i]-1)
	}
	for i, interval := range intervals {
		next := s.w
		if interval.To.IsZero() { // the last cell stands for the present
			next = max(starts[i]+1, s.w-1)
		} else if i+1 < len(starts) {
			next = starts[i+1]
		}
		for j := starts[i]; j < next; j++ {
			cells[j] = ganttCell{state: interval.State, rest: interval.State.Terminal()}
		}
		if interval.State.Terminal() {
			cells[starts[i]] = ganttCell{state: interval.State, sign: true}
			if i == len(intervals)-1 {
				clear(cells[starts[i]+1:])
			}
		}
	}
	return cells
}

type tick struct {
	cell  int
	label string
}

// Steps are the distances between marks that people read easily.
var Steps = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	day, 2 * day, 5 * day, 10 * day, 30 * day, 100 * day, 365 * day, 3650 * day, 36500 * day,
}

const day = 24 * time.Hour

// ticks are the marks of the scale, so far apart that their labels do not touch.
func (s scale) ticks() []tick {
	whole := s.to.Sub(s.from)
	marks := []tick{{0, offset(0, time.Second)}}
	if whole <= 0 {
		return marks
	}
	for _, step := range Steps {
		width := max(len(offset(whole, step))+3, s.w/8) // more than eight marks confuse
		if float64(step)/float64(whole)*float64(s.w-1) < float64(width) {
			continue
		}
		marks[0].label = offset(0, step)
		for d := step; d <= whole; d += step {
			marks = append(marks, tick{s.cell(s.from.Add(d)), offset(d, step)})
		}
		break
	}
	return marks
}

// offset is a time since the beginning, as exact as the step needs.
func offset(d, step time.Duration) string {
	switch s := int(d / time.Second); {
	case step < time.Second && d < time.Minute:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d >= day:
		if h := s / 3600 % 24; h > 0 {
			return fmt.Sprintf("%dd%02dh", s/86400, h)
		}
		return fmt.Sprintf("%dd", s/86400)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%02d", s/3600, s/60%60)
	default:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
}

func (l *Line) putBar(cells []ganttCell, now int) {
	for i, c := range cells {
		switch {
		case c.sign:
			l.Put(c.state.Info().Role, c.state.Info().Sign)
		case c.rest:
			l.Put(Faint, GlyphRule)
		case c.state == model.Queued:
			l.Put(Waiting, GlyphWait)
		case c.state != "":
			l.Put(c.state.Info().Role, GlyphFull)
		case i == now:
			l.Put(Faint, GlyphNow)
		default:
			l.Space(1)
		}
	}
}

// putAxis draws the marks, and at the end now or how long all of it took.
func (l *Line) putAxis(c scale, now int) {
	start := l.Used()
	end, r := "now", Accent
	if now < 0 {
		whole := c.to.Sub(c.from)
		end, r, now = offset(whole, time.Second), Dim, c.w-1
		if whole < 10*time.Second {
			end = offset(whole, 100*time.Millisecond)
		}
	}
	endAt := max(0, min(now, c.w-len(end)))
	for _, t := range c.ticks() {
		column := start + t.cell
		if column < l.Used() || t.cell+1+len(t.label) >= endAt {
			continue
		}
		l.To(column)
		l.Put(Faint, GlyphWall).Put(Dim, t.label)
	}
	if l.Used() <= start+endAt {
		l.To(start + endAt)
		l.Put(r, end)
	}
}

// Rule draws the title of a section: the name, a rule, and a note if there is room.
func Rule(th *Theme, name, note string, w int) string {
	l := NewLine(th, w).Put(Strong, name).Space(1)
	if room := l.Free - Cells(note) - 1; note != "" && room > 2 {
		return l.Put(Faint, Repeat(GlyphRule, room)).Space(1).Put(Dim, note).String()
	}
	return l.Put(Faint, Repeat(GlyphRule, l.Free)).String()
}

// part is how many of w stand for n of all: 0 only for nothing, w only for all.
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

// Spread draws two lengths of one scale in w cells, the second one lighter.
func (l *Line) Spread(r Role, low, high, scale int64, w int) *Line {
	full, light := part(low, scale, w), part(high, scale, w)
	return l.Put(r, Repeat(GlyphFull, full)+Repeat(GlyphWait, light-full)).Space(w - max(full, light))
}

// Percent is a share: 100% only for all of it, 0% only for nothing.
func Percent(n, all int) string { return strconv.Itoa(part(int64(n), int64(all), 100)) + "%" }

// ColumnPart is the glyph of a column for n of most in a row, counted from below.
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
