package ui

import (
	"fmt"
	"time"

	"aspectop/model"
)

// pathForm is how the way of a feature through its states is written.
type pathForm int

const (
	pathWords    pathForm = iota // queued 2s → processing 9s → completed
	pathSigns                    // · 2s → ▸ 9s → ✓ completed
	pathTight                    // ·q2s ▸p9s ✓ completed
	pathTightest                 // ·q2s ▸p9s ✓c
)

// drawPaths draws the task's board: a line for each feature with every stay on
// its way and how long it lasted.
func (m *Model) drawPaths(s *story, w int) []string {
	name := 0
	for _, f := range s.features {
		_, n, _ := fit(f.Name, max(8, min(20, w/3)))
		name = max(name, n)
	}
	form := pathWords
	for form < pathTight && !m.pathsFit(s, w-name-4, form) {
		form++
	}
	var lines []string
	for _, f := range s.features {
		l := newLine(m.th, w).put(stateRole(f.State), m.sign(f.State, true)).space(1)
		r := plain
		if model.Internal(f.Name) {
			r = dim
		}
		l.cell(r, f.Name, name).space(2)
		m.putPath(l, s, &f, form)
		lines = append(lines, l.String())
	}
	switch {
	case len(s.features) == 0:
		lines = append(lines, newLine(m.th, w).put(dim, "no features told").String())
	case s.more > 0:
		lines = append(lines, newLine(m.th, w).put(dim, fmt.Sprintf("and %d more features; the payload has them all", s.more)).String())
	}
	return lines
}

func (m *Model) pathsFit(s *story, w int, form pathForm) bool {
	for _, f := range s.features {
		l := newLine(m.th, w)
		if m.writePath(l, s, &f, form, 0); l.cut {
			return false
		}
	}
	return true
}

// putPath draws the way of one feature. In the tight forms, what is oldest is
// left out until the rest fits.
func (m *Model) putPath(l *line, s *story, f *featureStory, form pathForm) {
	fits := func(form pathForm, skip int) bool {
		try := newLine(m.th, l.free)
		m.writePath(try, s, f, form, skip)
		return !try.cut
	}
	skip := 0
	if form == pathTight && !fits(form, skip) {
		form = pathTightest
	}
	for skip < len(f.stays)-1 && !fits(form, skip) {
		skip++
	}
	m.writePath(l, s, f, form, skip)
}

func (m *Model) writePath(l *line, s *story, f *featureStory, form pathForm, skip int) {
	tight := form >= pathTight
	if model.Internal(f.Name) && !tight {
		l.put(faint, "internal  ")
	}
	if len(f.stays) == 0 { // no message told when
		l.put(stateRole(f.State), word(f.State))
		return
	}
	arrow := " " + glyphArrow + " "
	if tight {
		arrow = " "
	}
	if skip > 0 {
		l.put(faint, glyphEllipsis+arrow)
	}
	for i := skip; i < len(f.stays); i++ {
		stay := &f.stays[i]
		last := i == len(f.stays)-1
		told, blank := stayName(stay.State, form, last), " "
		if tight && !(last && form == pathTight) {
			blank = ""
		}
		l.put(stateRole(stay.State), told)
		switch {
		case !last:
			l.put(dim, blank+lasted(stay.Length(s.to))).put(faint, arrow)
		case !stay.State.Terminal():
			l.put(dim, blank+ago(stay.Length(s.to)))
		}
	}
	if model.Internal(f.Name) && tight {
		l.put(faint, "  internal")
	}
}

// stayName is a state in a path: a state that is not documented by its word at
// any rate.
func stayName(s model.State, form pathForm, last bool) string {
	switch {
	case form == pathWords:
		return word(s)
	case !s.Known() || last && form < pathTightest:
		return glyph(s) + " " + word(s)
	case form == pathSigns:
		return glyph(s)
	}
	return glyph(s) + letter(s)
}

// lasted is the length of a stay that is over; short ones are told to a tenth
// of a second.
func lasted(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second < 50*time.Millisecond && d >= time.Second || d <= 0 {
		return ago(d)
	}
	return fmt.Sprintf("%.1fs", max(d.Seconds(), 0.1))
}
