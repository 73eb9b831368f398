package render

import (
	"fmt"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// pathForm is how the way of a feature through its states is written.
type pathForm int

const (
	pathWords    pathForm = iota // queued 2s → processing 9s → completed
	pathSigns                    // · 2s → ▸ 9s → ✓ completed
	pathTight                    // ·q2s ▸p9s ✓ completed
	pathTightest                 // ·q2s ▸p9s ✓c
)

// drawPaths draws the task's board: a line for each feature with every interval on
// its way and how long it lasted.
func drawPaths(sc *screen.Screen, s *Story, w int) []string {
	name := 0
	for _, f := range s.features {
		_, n, _ := draw.Fit(f.Name, max(8, min(20, w/3)))
		name = max(name, n)
	}
	form := pathWords
	for form < pathTight && !pathsFit(sc, s, w-name-4, form) {
		form++
	}
	var lines []string
	for _, f := range s.features {
		l := draw.NewLine(sc.Theme, w).Put(draw.StateRole(f.State), Sign(sc, f.State, true)).Space(1)
		r := draw.Plain
		if model.Internal(f.Name) {
			r = draw.Dim
		}
		l.Cell(r, f.Name, name).Space(2)
		putPath(sc, l, s, &f, form)
		lines = append(lines, l.String())
	}
	switch {
	case len(s.features) == 0:
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, "no features").String())
	case s.more > 0:
		lines = append(lines, draw.NewLine(sc.Theme, w).Put(draw.Dim, fmt.Sprintf("and %d more features; see the payload", s.more)).String())
	}
	return lines
}

func pathsFit(sc *screen.Screen, s *Story, w int, form pathForm) bool {
	for _, f := range s.features {
		l := draw.NewLine(sc.Theme, w)
		if writePath(sc, l, s, &f, form, 0); l.Cut {
			return false
		}
	}
	return true
}

// putPath draws the way of one feature. In the tight forms, what is oldest is
// left out until the rest fits.
func putPath(sc *screen.Screen, l *draw.Line, s *Story, f *featureStory, form pathForm) {
	fits := func(form pathForm, skip int) bool {
		try := draw.NewLine(sc.Theme, l.Free)
		writePath(sc, try, s, f, form, skip)
		return !try.Cut
	}
	skip := 0
	if form == pathTight && !fits(form, skip) {
		form = pathTightest
	}
	for skip < len(f.intervals)-1 && !fits(form, skip) {
		skip++
	}
	writePath(sc, l, s, f, form, skip)
}

func writePath(sc *screen.Screen, l *draw.Line, s *Story, f *featureStory, form pathForm, skip int) {
	tight := form >= pathTight
	if model.Internal(f.Name) && !tight {
		l.Put(draw.Faint, "internal  ")
	}
	if len(f.intervals) == 0 { // no message told when
		l.Put(draw.StateRole(f.State), f.State.Word())
		return
	}
	arrow := " " + draw.GlyphArrow + " "
	if tight {
		arrow = " "
	}
	if skip > 0 {
		l.Put(draw.Faint, draw.GlyphEllipsis+arrow)
	}
	for i := skip; i < len(f.intervals); i++ {
		interval := &f.intervals[i]
		last := i == len(f.intervals)-1
		told, blank := intervalName(interval.State, form, last), " "
		if tight && !(last && form == pathTight) {
			blank = ""
		}
		l.Put(draw.StateRole(interval.State), told)
		switch {
		case !last:
			l.Put(draw.Dim, blank+words.Lasted(interval.Length(s.to))).Put(draw.Faint, arrow)
		case !interval.State.Terminal():
			l.Put(draw.Dim, blank+words.Ago(interval.Length(s.to)))
		}
	}
	if model.Internal(f.Name) && tight {
		l.Put(draw.Faint, "  internal")
	}
}

// intervalName is a state in a path: a state that is not documented by its word at
// any rate.
func intervalName(s model.State, form pathForm, last bool) string {
	switch {
	case form == pathWords:
		return s.Word()
	case !s.Known() || last && form < pathTightest:
		return draw.Glyph(s) + " " + s.Word()
	case form == pathSigns:
		return draw.Glyph(s)
	}
	return draw.Glyph(s) + draw.Letter(s)
}
