package ui

import (
	"strings"
	"testing"
)

func TestTheTabLineSaysHowMuchOfALargeTerminalIsDrawn(t *testing.T) {
	w, h := 1000, 400
	viewer := func(o *options) { o.Terminal = func() (int, int) { return w, h } }
	onScreen(t, 400, 120, uploads(), func(s *terminal) {
		if line := s.lineWith("1 Tasks"); !strings.HasSuffix(line, " drawn 400×120 of 1000×400") {
			t.Errorf("the tab line is %q", line)
		}
		w, h = 400, 120
		s.press("j")
		s.hides("drawn")
	}, viewer)
	w, h = 80, 500
	onScreen(t, 80, 120, uploads(), func(s *terminal) { s.shows("1 Tasks", "drawn 80×120 of 80×500") }, viewer)
	onScreen(t, 80, 120, uploads(), func(s *terminal) { s.shows("drawn 80x120 of 80x500") }, viewer, func(o *options) { o.ASCII = true })
}
