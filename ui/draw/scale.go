package draw

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/words"
)

// Scale maps instants to the cells of a chart, the same for all of its bars. Long
// stretches without work are folded.
type Scale struct {
	from, to time.Time
	now      time.Time // marked
	w        int
	parts    []stretch
}

// stretch is a piece of the scale: folded, or in proportion.
type stretch struct {
	from, to time.Time
	at, w    int
	label    string // of a folded one
}

// NewScale is a scale of w cells. A stretch that is longer than a tenth of it and in which
// none of the bars was queued or processing is folded. If it ends now, there is room behind
// for the usual ends of bars that go on, a fifth at most.
func NewScale(from, to, now time.Time, w int, bars []Bar) *Scale {
	s := &Scale{from: from, to: to, now: now, w: max(0, w)}
	folds, folded := s.folds(bars)
	room, length := s.w, max(0, to.Sub(from)-folded)
	if now.Equal(to) {
		ahead := time.Duration(0)
		for i := range bars {
			if bars[i].Open() {
				ahead = max(ahead, bars[i].Usual.Sub(now))
			}
		}
		ahead = min(ahead, length/4)
		to, length = to.Add(ahead), length+ahead
		s.to = to
	}
	for _, f := range folds {
		room -= f.w
	}
	begin, widest := from, -1
	proportional := func(end time.Time) {
		if !end.After(begin) && len(s.parts) == 0 && end.Before(to) {
			return
		}
		n := room
		if length > 0 {
			n = max(1, int(float64(room)*float64(end.Sub(begin))/float64(length)))
		}
		if end.Equal(to) {
			n = max(n, len("now")+1)
		}
		s.parts = append(s.parts, stretch{from: begin, to: end, w: n})
		if i := len(s.parts) - 1; widest < 0 || n > s.parts[widest].w {
			widest = i
		}
	}
	for _, f := range folds {
		proportional(f.from)
		s.parts = append(s.parts, f)
		begin = f.to
	}
	proportional(to)
	used := 0
	for _, p := range s.parts {
		used += p.w
	}
	s.parts[widest].w += s.w - used
	for i := 1; i < len(s.parts); i++ {
		s.parts[i].at = s.parts[i-1].at + s.parts[i-1].w
	}
	return s
}

// folds are the stretches to fold, in order, and how long they are in all.
func (s *Scale) folds(bars []Bar) (folds []stretch, folded time.Duration) {
	end, least := s.to, s.to.Sub(s.from)/10
	var busy []model.Interval
	for i := range bars {
		first := bars[i].Intervals[0].From
		if begin := bars[i].Begin(); first.Sub(begin) <= least { // too short to be folded itself
			busy = append(busy, model.Interval{From: begin, To: first})
		}
		for _, v := range bars[i].Intervals {
			if v.State.Terminal() {
				v.To = v.From
			} else if v.To.IsZero() {
				v.To = end
			}
			busy = append(busy, v)
		}
	}
	if len(busy) == 0 {
		return nil, 0
	}
	slices.SortFunc(busy, func(a, b model.Interval) int { return a.From.Compare(b.From) })
	idle := s.from
	for _, v := range append(busy, model.Interval{From: end, To: end}) {
		if from := v.From; from.Sub(idle) > least && !from.After(end) {
			label := coarse(from.Sub(idle))
			folds = append(folds, stretch{from: idle, to: from, label: label, w: len(label) + 4})
		}
		if v.To.After(idle) {
			idle = v.To
		}
	}
	slices.SortFunc(folds, func(a, b stretch) int { return cmp.Compare(b.to.Sub(b.from), a.to.Sub(a.from)) })
	room := s.w / 2
	for i, f := range folds {
		if room -= f.w; room < 0 {
			folds = folds[:i]
			break
		}
		folded += f.to.Sub(f.from)
	}
	slices.SortFunc(folds, func(a, b stretch) int { return a.from.Compare(b.from) })
	return folds, folded
}

// coarse is a duration in one unit.
func coarse(d time.Duration) string {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", words.Day}, {"h", time.Hour}, {"min", time.Minute}} {
		if d >= 2*u.of {
			return fmt.Sprintf("%d %s", (d+u.of/2)/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// cell is the cell of an instant, the first or the last one if it is outside the scale.
func (s *Scale) cell(t time.Time) int {
	for i, p := range s.parts {
		if i < len(s.parts)-1 && (t.After(p.to) || p.label != "" && !t.Before(p.to)) {
			continue
		}
		if p.label != "" {
			return p.at + p.w/2
		}
		whole := p.to.Sub(p.from)
		if whole <= 0 || p.w <= 1 {
			return p.at
		}
		at := float64(t.Sub(p.from)) / float64(whole) * float64(p.w-1)
		return p.at + int(math.Round(min(max(at, 0), float64(p.w-1))))
	}
	return 0
}

type tick struct {
	cell  int
	label string
}

// ticks are the marks of the scale, so far apart that their labels do not touch.
func (s *Scale) ticks() (marks []tick) {
	var whole time.Duration
	w := 0
	for _, p := range s.parts {
		if p.label == "" {
			whole, w = whole+p.to.Sub(p.from), w+p.w
		}
	}
	y, m, d := s.from.Local().Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, time.Local)
	for _, step := range words.Steps {
		width := max(len(s.timeOfDay(s.to, step))+3, w/8) // more than eight marks confuse
		if float64(step)/float64(whole)*float64(w-1) < float64(width) {
			continue
		}
		for _, p := range s.parts {
			if p.label != "" {
				continue
			}
			for t := midnight.Add(p.from.Sub(midnight).Truncate(step)); !t.After(p.to); t = t.Add(step) {
				if !t.Before(p.from) {
					marks = append(marks, tick{s.cell(t), s.timeOfDay(t, step)})
				}
			}
		}
		break
	}
	return marks
}

// timeOfDay is as exact as the step needs, with the day unless the scale ends on it.
func (s *Scale) timeOfDay(t time.Time, step time.Duration) string {
	t = t.Local()
	told := t.Format("15:04")
	switch {
	case step >= words.Day:
		return t.Format("01-02")
	case step < time.Minute:
		told = t.Format(time.TimeOnly)
	}
	if !SameDay(t, s.to) {
		told = t.Format("01-02 ") + told
	}
	return told
}

// PutAxis draws the marks, the folded stretches and now.
func (l *Line) PutAxis(s *Scale) *Line {
	b := make(band, s.w)
	if !s.now.After(s.to) {
		b.put(max(0, min(s.cell(s.now), s.w-len("now"))), Accent, "now")
	}
	for _, p := range s.parts {
		if p.label != "" {
			b.put(p.at, Faint, GlyphFold)
			b.put(p.at+2, Dim, p.label)
			b.put(p.at+p.w-1, Faint, GlyphFold)
		}
	}
	for _, t := range s.ticks() {
		if t.cell+len(t.label) < s.w && b.free(t.cell-1, t.cell+len(t.label)+2) {
			b.put(t.cell, Faint, GlyphWall)
			b.put(t.cell+1, Dim, t.label)
		}
	}
	return l.putBand(b)
}

// band is a row of cells that is written in any order.
type band []struct {
	role  Role
	glyph string // "" for none yet
}

// put writes characters of one cell each, as far as there is room.
func (b band) put(at int, r Role, text string) {
	for _, c := range text {
		if at >= 0 && at < len(b) {
			b[at].role, b[at].glyph = r, string(c)
		}
		at++
	}
}

// free reports whether nothing was written from one cell up to another.
func (b band) free(from, to int) bool {
	for i := max(0, from); i < min(to, len(b)); i++ {
		if b[i].glyph != "" {
			return false
		}
	}
	return true
}

// room reports whether those cells exist and are free.
func (b band) room(from, to int) bool { return from >= 0 && to <= len(b) && b.free(from, to) }

func (l *Line) putBand(b band) *Line {
	var run strings.Builder
	for i := range b {
		run.WriteString(cmp.Or(b[i].glyph, " "))
		if i+1 == len(b) || b[i+1].role != b[i].role {
			l.Put(b[i].role, run.String())
			run.Reset()
		}
	}
	return l
}
