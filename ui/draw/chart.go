package draw

import (
	"strconv"
	"time"

	"aspectop/model"
)

// Bar is what a task or a feature went through.
type Bar struct {
	// Intervals are in order, one at least. The last one has no end if it goes on, or is a terminal state.
	Intervals []model.Interval
	Since     time.Time // when it was created, before anything was told of it; zero: not known
	Labels    []string  // what it took, in ever fewer words: the first one that fits is written
	Usual     time.Time // when it usually ends, if it goes on; zero: not known
}

// Open reports whether it goes on.
func (b *Bar) Open() bool {
	last := b.Intervals[len(b.Intervals)-1]
	return last.To.IsZero() && !last.State.Terminal()
}

// End is when the last state was entered or, if it goes on, now.
func (b *Bar) End(now time.Time) time.Time {
	last := b.Intervals[len(b.Intervals)-1]
	switch {
	case last.State.Terminal():
		return last.From
	case last.To.IsZero():
		return now
	}
	return last.To
}

// Begin is when it was created, or the first state was entered.
func (b *Bar) Begin() time.Time {
	if first := b.Intervals[0].From; b.Since.IsZero() || first.Before(b.Since) {
		return first
	}
	return b.Since
}

// PutBar draws a bar, or where it is if it is outside the scale. It is not reversed on the
// selected row: full cells would look empty, and empty ones full.
func (l *Line) PutBar(s *Scale, bar *Bar) *Line {
	l.Selected = l.Selected && !l.th.reverses
	b := make(band, s.w)
	switch {
	case bar.End(s.now).Before(s.from):
		b.put(0, Faint, GlyphEarlier)
		return l.putBand(b)
	case bar.Intervals[0].From.After(s.to):
		b.put(s.w-1, Faint, GlyphArrow)
		return l.putBand(b)
	}
	from, to := s.fill(b, bar)
	if bar.Open() && !bar.Usual.IsZero() && !bar.Usual.After(s.to) && !bar.Usual.Before(s.from) {
		usual := s.cell(bar.Usual)
		for i := max(from, usual); i < to; i++ {
			b[i].role = Warn
		}
		b.put(usual, Warn, GlyphUsual)
	}
	if now := s.cell(s.now); !s.now.After(s.to) && b.free(now, now+1) {
		b.put(now, Faint, GlyphNow)
	}
	b.label(bar, from, to)
	for _, p := range s.parts {
		if p.label != "" && b.free(p.at, p.at+p.w) {
			b.put(p.at, Faint, GlyphFold)
			b.put(p.at+p.w-1, Faint, GlyphFold)
		}
	}
	return l.putBand(b)
}

// fill draws the intervals, each in a cell at least; if there are too few, the last ones
// win. It returns the cells from the first one to behind the last one.
func (s *Scale) fill(b band, bar *Bar) (from, to int) {
	intervals := bar.Intervals
	for len(intervals) > 1 && !intervals[0].To.After(s.from) {
		intervals = intervals[1:]
	}
	final := true
	for len(intervals) > 1 && intervals[len(intervals)-1].From.After(s.to) {
		intervals, final = intervals[:len(intervals)-1], false
	}
	if s.w == 0 {
		return 0, 0
	}
	starts := make([]int, len(intervals)+1)
	for i := range intervals {
		starts[i] = s.cell(intervals[i].From)
		if i > 0 {
			starts[i] = max(starts[i], starts[i-1]+1)
		}
	}
	for i, limit := len(intervals)-1, s.w-1; i >= 0; i-- {
		starts[i] = min(starts[i], limit)
		limit = max(0, starts[i]-1)
	}
	last := len(intervals) - 1
	switch until := intervals[last].To; {
	case final && intervals[last].State.Terminal():
		starts[last+1] = starts[last] + 1
	case until.After(s.to), until.IsZero() && s.now.After(s.to):
		starts[last+1] = s.w
	case until.IsZero(): // the cell of now stays free
		starts[last+1] = max(starts[last]+1, s.cell(s.now))
	default:
		starts[last+1] = max(starts[last]+1, s.cell(until))
	}
	ended := Role(0) // how the run ended
	if bar.Open() {
		ended = Busy
	}
	for i := last; i >= 0; i-- {
		info := intervals[i].State.Info()
		glyph, r := GlyphFull, ended
		switch {
		case info.Terminal:
			glyph, r, ended = GlyphRule, Faint, info.Role
		case intervals[i].State == model.Queued:
			glyph, r = GlyphWait, Waiting
		case ended == 0:
			r = info.Role
		}
		for c := starts[i]; c < starts[i+1]; c++ {
			b.put(c, r, glyph)
		}
		if info.Terminal {
			b.put(starts[i], info.Role, info.Sign)
		}
	}
	from = min(starts[0], s.cell(bar.Begin()))
	for c := from; c < starts[0]; c++ { // nothing was told
		b.put(c, Faint, GlyphRule)
	}
	return from, starts[last+1]
}

// label writes what the bar took: behind it, in its last stretch, or before it; else in the
// longest stretch.
func (b band) label(bar *Bar, from, to int) {
	end := to
	if !bar.Open() && bar.Intervals[len(bar.Intervals)-1].State.Terminal() {
		end-- // its sign
	}
	in := func(label string, end int) bool {
		n := len(label)
		if at := end - n - 3; at >= from && b.same(at, end) {
			b.put(at, b[at].role, " "+label+" ")
			return true
		}
		return false
	}
	for _, label := range bar.Labels {
		n := len(label)
		switch {
		case !bar.Open() && b.room(to, to+n+1):
			b.put(to+1, Dim, label)
			return
		case in(label, end):
			return
		case bar.Open() && b.room(to+1, to+n+2): // behind the mark of now
			b.put(to+2, Dim, label)
			return
		case b.room(from-n-1, from):
			b.put(from-n-1, Dim, label)
			return
		}
	}
	for _, label := range bar.Labels {
		for i := end - 1; i >= from; i-- {
			if in(label, i) {
				return
			}
		}
	}
}

// same reports whether some cells are all the same.
func (b band) same(from, to int) bool {
	for i := from + 1; i < to; i++ {
		if b[i] != b[from] {
			return false
		}
	}
	return true
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
