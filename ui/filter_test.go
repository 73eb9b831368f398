package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
)

// cursorLine is where the selected row stands on the screen, and what it says.
func (s *terminal) cursorLine() (int, string) {
	s.t.Helper()
	for i, l := range strings.Split(s.frame(), "\n") {
		if strings.Contains(l, draw.GlyphCursor) {
			return i, l
		}
	}
	s.t.Fatalf("no row is selected:\n%s", s.frame())
	return 0, ""
}

// refusal is the status of a delivery that no secret matches.
func refusal() model.Status {
	return model.Status{At: midnight, Rejected: &model.Rejected{ID: "msg_x", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches"}}}
}

func TestAProgressThatTellsAFailedFeatureIsAFailure(t *testing.T) {
	onScreen(t, 100, 12, nil, func(s *terminal) {
		s.deliver(event(1, "task.progress", 0, "proxy=processing", "visual=processing"))
		s.deliver(event(1, "task.progress", time.Second, "proxy=processing", "visual=failed"))
		s.deliver(event(1, "task.progress", 2*time.Second, "proxy=completed", "visual=processing"))
		s.press("3", "N")
		if _, row := s.cursorLine(); !strings.Contains(row, "failed") {
			t.Errorf("N selects %q", row)
		}
		s.press("!")
		s.wait(flashTime)
		s.shows("1 shown", "failed")
	})
}

func TestEnterDoesNotAcceptAWrongFilter(t *testing.T) {
	onScreen(t, 100, 10, uploads(), func(s *terminal) {
		s.press("/")
		s.write("is:xyz")
		s.press("enter")
		s.shows("/is:xyz", "is: asks for")
		s.press("esc")
		s.hides("is:xyz")
	})
}

func TestAFilterWithoutItsValueIsWrongOnlyOnEnter(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("/")
		s.write("state:failed -")
		s.shows("2e1c7e02", "1 shown")
		s.hides("no value")
		s.hides("2e1c7e01") // what is finished holds
		s.press("enter")
		s.shows("/state:failed -", `"-" has no value`)
		s.press("backspace", "enter")
		s.hides("no value")
		s.shows("1 shown", "esc clear filter")
	})
}

func TestATaskComesToPassAFilterAsTimeGoesBy(t *testing.T) {
	onScreen(t, 100, 12, nil, func(s *terminal) {
		s.deliver(event(1, "task.progress", 0, "proxy=processing"))
		s.press("/")
		s.write("is:stalled")
		s.press("enter")
		s.shows("0 shown")
		time.Sleep(30 * time.Minute)
		s.wait(10 * time.Second)
		s.shows("1 shown")
	})
}

func TestAFrozenScreenCountsRefusalsToo(t *testing.T) {
	onScreen(t, 100, 12, uploads(), func(s *terminal) {
		s.press("space")
		for range 5 {
			s.status.Add(refusal())
			s.wait(time.Second)
		}
		s.deliver(event(9, "task.progress", 30*time.Second, "proxy=processing"))
		s.wait(time.Second)
		s.shows("frozen, 6 new")
	})
}

func TestTheSelectedRowStaysInItsPlaceWhileAFilterIsTyped(t *testing.T) {
	onScreen(t, 100, 20, manyTasks(9000), func(s *terminal) {
		s.wait(time.Second)
		s.press("3")
		for range 30 {
			s.press("k")
		}
		s.press("ctrl+u", "j", "j", "j")
		line, row := s.cursorLine()
		s.press("/")
		s.write("proxy")
		if now, same := s.cursorLine(); now != line || same != row {
			t.Errorf("line %d %q is selected, not %d %q", now, same, line, row)
		}
		s.press("esc")
		if now, same := s.cursorLine(); now != line || same != row {
			t.Errorf("without the filter line %d %q is selected, not %d %q", now, same, line, row)
		}
	})
}

func TestTheSelectionWaitsForARowThatTheScanHasNotComeTo(t *testing.T) {
	onScreen(t, 100, 24, manyTasks(9000), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "g", "/")
		s.write("proxy")
		s.wait(time.Second)
		if row := s.m.pointed().Row; row.Seq != 1 {
			t.Errorf("delivery %d is selected, not the first", row.Seq)
		}
	})
}

func TestEventsAreShownByWhatTheirTaskIsNow(t *testing.T) {
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "/")
		s.write("state:processing -task:2e1c7e05")
		s.press("enter")
		s.wait(time.Second)
		s.shows("00:00:06", "00:00:21") // both of task 3, which only then came to be so
		s.hides("00:00:05")             // task 1 was
		s.deliver(event(3, "task.progress", 30*time.Second, "proxy=completed", "preview=failed", "visual=processing", "transcription=na"))
		s.wait(time.Second)
		s.hides("00:00:06", "00:00:21", "00:00:30")
		s.deliver(event(4, "task.progress", 31*time.Second, "proxy=processing", "preview=queued", "visual=queued", "transcription=queued"))
		s.wait(time.Second)
		s.shows("00:00:22", "00:00:31") // the one that only told that it was cancelled, too
		s.press("esc", "/")
		s.write("became:failed")
		s.press("enter")
		s.wait(time.Second)
		s.shows("00:00:20", "00:00:30")
		s.hides("00:00:22")
	})
}

func TestAFilterOfTheConfigFileIsUsedByItsName(t *testing.T) {
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.m.Filters = model.NamedFilters{"bad": "state:failed,cancelled"}
		s.wait(soon)
		s.press("/")
		s.write("@bad -task:2e1c7e04")
		s.press("enter")
		s.shows("2e1c7e02", "1 shown")
		s.press("/")
		s.write(" @worse")
		s.press("enter")
		s.shows("there is no filter @worse")
	})
}

func TestFilterNoticeAndHintsNeverShareALine(t *testing.T) {
	for _, size := range [][2]int{{120, 24}, {80, 24}, {80, 16}, {80, 15}, {40, 10}} {
		onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
			s.wait(time.Second)
			s.press("!", "s") // a filter, and a notice
			alone := func(text string, others ...string) {
				t.Helper()
				l := line(s, text)
				for _, other := range others {
					if strings.Contains(l, other) {
						t.Errorf("%v: %q shares %q", size, text, l)
					}
				}
			}
			alone("sorted by state", "? help", "/failures")
			if s.m.H >= 16 {
				alone("/failures only", "? help", "sorted by")
			}
			s.wait(flashTime)
			s.hides("sorted by state")
			s.shows("/failures only", "1 shown")
			if s.m.W >= 80 {
				s.shows("esc clear filter")
			}
			s.press("esc")
			s.hides("/failures only", "esc clear filter")
		})
	}
}

func TestEscIsLabelledWithWhatItDoesNext(t *testing.T) {
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.hides("esc ")
		s.press("/")
		s.shows("esc cancel")
		s.write("state:failed")
		s.press("enter")
		s.shows("esc clear filter")
		s.press("enter", "tab", "tab")
		s.shows("esc back")
		s.press("/")
		s.write("state")
		s.press("enter")
		s.shows("esc end search")
		s.press("esc")
		s.shows("esc back")
		s.press("?")
		s.shows("esc close help")
		s.press("esc", "esc")
		s.shows("esc clear filter")
		s.press("esc")
		s.hides("esc ")
	})
}
