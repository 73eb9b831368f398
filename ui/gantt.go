package ui

import (
	"fmt"
	"math"
	"time"

	"aspectop/model"
)

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

// ganttCell is one cell of a bar: a stay in a state, the sign of one that ended
// the work, the rest until the work was taken up again, or nothing.
type ganttCell struct {
	state      model.State
	sign, rest bool
}

// bar lays the stays of a feature out. Each stay has a cell of its own, however
// short it was, as long as there are cells enough; the last ones win.
func (s scale) bar(stays []model.Span) []ganttCell {
	cells := make([]ganttCell, max(0, s.w))
	if len(stays) == 0 || s.w <= 0 {
		return cells
	}
	starts := make([]int, len(stays))
	for i := range stays {
		starts[i] = s.cell(stays[i].From)
		if i > 0 {
			starts[i] = max(starts[i], starts[i-1]+1)
		}
	}
	for i, limit := len(starts)-1, s.w-1; i >= 0; i-- {
		starts[i] = min(starts[i], limit)
		limit = max(0, starts[i]-1)
	}
	for i, stay := range stays {
		next := s.w
		if stay.To.IsZero() { // the last cell stands for the present
			next = max(starts[i]+1, s.w-1)
		} else if i+1 < len(starts) {
			next = starts[i+1]
		}
		for j := starts[i]; j < next; j++ {
			cells[j] = ganttCell{state: stay.State, rest: stay.State.Terminal()}
		}
		if stay.State.Terminal() {
			cells[starts[i]] = ganttCell{state: stay.State, sign: true}
			if i == len(stays)-1 {
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

// steps are the distances between marks that people read easily.
var steps = []time.Duration{
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
	for _, step := range steps {
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

// drawGantt draws the timeline: a bar for each feature and the axis below. A
// task of which no message tells a time has none.
func (m *Model) drawGantt(s *story, w int) []string {
	if s.from.IsZero() {
		return nil
	}
	name := 8
	for _, f := range s.features {
		_, n, _ := fit(f.Name, max(8, min(20, w/3)))
		name = max(name, n)
	}
	c := scale{s.from, s.to, w - name - 2}
	if c.w < 8 {
		return nil
	}
	now := -1
	if s.working {
		now = c.cell(s.now)
	}
	var lines []string
	for _, f := range s.features {
		l := newLine(m.th, w).cell(dim, f.Name, name).space(2)
		m.putBar(l, c.bar(f.stays), now)
		lines = append(lines, l.String())
	}
	l := newLine(m.th, w).cell(faint, clock(s.from), name).space(2)
	m.putAxis(l, c, now)
	return append(lines, l.String())
}

// putBar draws the cells of one bar: waiting light, working solid, the end by
// its sign.
func (m *Model) putBar(l *line, cells []ganttCell, now int) {
	for i, c := range cells {
		switch {
		case c.sign:
			l.put(stateRole(c.state), glyph(c.state))
		case c.rest:
			l.put(faint, glyphRule)
		case c.state == model.Queued:
			l.put(waiting, glyphWait)
		case c.state != "":
			l.put(stateRole(c.state), glyphFull)
		case i == now:
			l.put(faint, glyphNow)
		default:
			l.space(1)
		}
	}
}

// putAxis draws the marks of time that leave room for what stands at the end:
// the present, or how long all of it took.
func (m *Model) putAxis(l *line, c scale, now int) {
	start := l.used()
	end, r := "now", accent
	if now < 0 {
		end, r = offset(c.to.Sub(c.from), time.Second), dim
	}
	if now < 0 {
		now = c.w - 1
	}
	endAt := max(0, min(now, c.w-len(end)))
	for _, t := range c.ticks() {
		column := start + t.cell
		if column < l.used() || t.cell+1+len(t.label) >= endAt {
			continue
		}
		l.to(column)
		l.put(faint, glyphWall).put(dim, t.label)
	}
	if l.used() <= start+endAt {
		l.to(start + endAt)
		l.put(r, end)
	}
}
