package ui

import (
	"fmt"
	"time"

	"aspectop/model"
)

// pathForm is how the way of a feature through its states is written.
type pathForm int

const (
	pathWords pathForm = iota // queued 2s → processing 9s → completed
	pathSigns                 // · 2s → ▸ 9s → ✓ completed
	pathForms
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
	for form < pathSigns && !m.pathsFit(s, w-name-4, form) {
		form++
	}
	var lines []string
	for _, f := range s.features {
		l := newLine(m.th, w).put(stateRole(f.State), m.sign(f.State, true)).space(1)
		l.cell(plain, f.Name, name).space(2)
		m.putPath(l, &f, form)
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
		if m.writePath(l, &f, form, 0); l.cut {
			return false
		}
	}
	return true
}

// putPath draws the way of one feature; if it does not fit, what is oldest is
// left out.
func (m *Model) putPath(l *line, f *featureStory, form pathForm) {
	skip := 0
	for ; skip < len(f.stays)-1; skip++ {
		try := newLine(m.th, l.free)
		if m.writePath(try, f, form, skip); !try.cut {
			break
		}
	}
	m.writePath(l, f, form, skip)
}

func (m *Model) writePath(l *line, f *featureStory, form pathForm, skip int) {
	if model.Internal(f.Name) {
		l.put(faint, "internal  ")
	}
	if len(f.stays) == 0 { // no message told when
		l.put(stateRole(f.State), word(f.State))
		return
	}
	if skip > 0 {
		l.put(faint, glyphEllipsis+" "+glyphArrow+" ")
	}
	for i := skip; i < len(f.stays); i++ {
		stay := &f.stays[i]
		last := i == len(f.stays)-1
		told := word(stay.State)
		if form == pathSigns {
			told = glyph(stay.State)
			if last || !stay.State.Known() {
				told += " " + word(stay.State)
			}
		}
		l.put(stateRole(stay.State), told)
		switch {
		case !last:
			l.put(dim, " "+lasted(stay.Length(m.at))).put(faint, " "+glyphArrow+" ")
		case !stay.State.Terminal():
			l.put(dim, " "+ago(stay.Length(m.at)))
		}
	}
}

// lasted is the length of a stay that is over; short ones are told to a tenth
// of a second.
func lasted(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second < 50*time.Millisecond && d >= time.Second || d <= 0 {
		return ago(d)
	}
	return fmt.Sprintf("%.1fs", max(d.Seconds(), 0.1))
}
