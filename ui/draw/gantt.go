package draw

import (
	"fmt"
	"math"
	"time"

	"aspectop/model"
)

// Gantt is the timeline of a task: a bar for each feature, and an axis below.
type Gantt struct {
	From, To  time.Time // the first and the last instant
	Now       time.Time // marked if work goes on
	Working   bool
	Names     []string
	Intervals [][]model.Interval // of each name
}

// Draw draws the chart in w cells, or nothing if it has no beginning or there is
// no room for it.
func (g *Gantt) Draw(th *Theme, w int) []string {
	if g.From.IsZero() {
		return nil
	}
	name := nameWidth(g.Names, w)
	c := scale{g.From, g.To, w - name - 2}
	if c.w < 8 {
		return nil
	}
	now := -1
	if g.Working {
		now = c.cell(g.Now)
	}
	var lines []string
	for i := range g.Names {
		l := NewLine(th, w).Cell(Dim, g.Names[i], name).Space(2)
		l.putBar(c.bar(g.Intervals[i]), now)
		lines = append(lines, l.String())
	}
	l := NewLine(th, w).Cell(Faint, Clock(g.From), name).Space(2)
	l.putAxis(c, now)
	return append(lines, l.String())
}

// scale lays a stretch of time out over cells: from is in the first one, to in
// the last one.
type scale struct {
	from, to time.Time
	w        int
}

// cell is the cell of an instant; instants outside the stretch are in the first
// or the last one.
func (s scale) cell(t time.Time) int {
	whole := s.to.Sub(s.from)
	if whole <= 0 || s.w <= 1 {
		return 0
	}
	at := float64(t.Sub(s.from)) / float64(whole) * float64(s.w-1)
	return int(math.Round(min(max(at, 0), float64(s.w-1))))
}

// ganttCell is one cell of a bar: an interval in a state, the sign of one that ended
// the work, the rest until the work was taken up again, or nothing.
type ganttCell struct {
	state      model.State
	sign, rest bool
}

// bar lays the intervals of a feature out. Each interval has a cell of its own, however
// short it was, as long as there are cells enough; the last ones win.
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

// tick is a mark on the axis of time.
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

// ticks are the marks for the scale, from its beginning, so far apart that
// their labels stay clear of each other.
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

// offset is a time since the beginning, as exact as steps of that length ask.
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

// putBar draws the cells of one bar: waiting light, working solid, the end by
// its sign.
func (l *Line) putBar(cells []ganttCell, now int) {
	for i, c := range cells {
		switch {
		case c.sign:
			l.Put(StateRole(c.state), Glyph(c.state))
		case c.rest:
			l.Put(Faint, GlyphRule)
		case c.state == model.Queued:
			l.Put(Waiting, GlyphWait)
		case c.state != "":
			l.Put(StateRole(c.state), GlyphFull)
		case i == now:
			l.Put(Faint, GlyphNow)
		default:
			l.Space(1)
		}
	}
}

// putAxis draws the marks of time that leave room for what stands at the end:
// the present, or how long all of it took.
func (l *Line) putAxis(c scale, now int) {
	start := l.Used()
	end, r := "now", Accent
	if now < 0 {
		whole := c.to.Sub(c.from)
		end, r = offset(whole, time.Second), Dim
		if whole < 10*time.Second {
			end = offset(whole, 100*time.Millisecond)
		}
	}
	if now < 0 {
		now = c.w - 1
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
