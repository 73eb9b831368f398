package ui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

func TestFramesOfTheTimeline(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			opened(t, size[0], size[1], uploads(), []string{"6", "j", "right"}, (*terminal).matchesGolden)
		})
	}
	t.Run("ascii", func(t *testing.T) {
		opened(t, 80, 24, uploads(), []string{"6"}, (*terminal).matchesGolden, func(o *options) { o.ASCII, o.Theme = true, "mono" })
	})
}

func TestNoSizeOverflowsInTheTimeline(t *testing.T) {
	opened(t, 80, 24, uploads(), []string{"6", "right"}, func(s *terminal) {
		for w := 1; w <= 130; w++ {
			for h := 1; h <= 40; h++ {
				s.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
				s.frame()
			}
		}
	})
}

// runs are three tasks that took 10 s each to be told of their usual end, and others of the
// given history.
func runs(history ...model.Delivery) (all []model.Delivery) {
	for n := range 3 {
		at := time.Duration(n) * time.Second
		all = append(all, event(20+n, "task.progress", at, "proxy=processing"), event(20+n, "task.completed", at+10*time.Second, "proxy=completed"))
	}
	return append(all, history...)
}

// createdAt is the delivery of a task that was created then.
func createdAt(d model.Delivery, at time.Duration) model.Delivery {
	d.Body = regexp.MustCompile(`"created":"[^"]*"`).ReplaceAll(d.Body, []byte(`"created":"`+midnight.Add(at).Format(time.RFC3339)+`"`))
	return d
}

func line(s *terminal, with string) string {
	for l := range strings.Lines(s.frame()) {
		if strings.Contains(l, with) {
			return strings.TrimRight(l, " \n")
		}
	}
	s.t.Errorf("no line has %q in\n%s", with, s.frame())
	return ""
}

func TestTheTimelineShowsWhatIsActiveFirstAndItsUsualEnd(t *testing.T) {
	onScreen(t, 100, 24, runs(event(1, "task.progress", 14*time.Second, "proxy=processing")), func(s *terminal) {
		s.wait(20 * time.Second)
		s.press("6")
		early := line(s, taskID(1)[:8])
		if rows := strings.Split(s.frame(), "\n"); !strings.Contains(rows[4], taskID(1)[:8]) {
			t.Errorf("the first row is %q", rows[4])
		}
		if now, usual := strings.Index(early, "│"), strings.Index(early, "◇"); now < 0 || usual < now {
			t.Errorf("before its usual end: %s", early)
		}
		s.wait(20 * time.Second) // the usual end was at 24 s
		late := line(s, taskID(1)[:8])
		if now, usual := strings.Index(late, "│"), strings.Index(late, "◇"); usual < 0 || usual > now {
			t.Errorf("after its usual end: %s", late)
		}
		s.deliver(event(1, "task.completed", 41*time.Second, "proxy=completed"))
		if ended := line(s, taskID(1)[:8]); !strings.Contains(ended, "█✓") || strings.Contains(ended, "◇") {
			t.Errorf("when it has ended: %s", ended)
		}
	})
}

func TestTheTimelineZoomsAndPansAndComesBack(t *testing.T) {
	old := createdAt(event(2, "task.completed", 0, "proxy=completed"), 0)
	onScreen(t, 100, 24, []model.Delivery{old}, func(s *terminal) {
		s.wait(2 * time.Hour)
		s.deliver(createdAt(event(1, "task.progress", 2*time.Hour, "proxy=processing"), 2*time.Hour))
		s.press("6")
		s.hides(taskID(2)[:8])
		s.shows("1 task ended earlier")
		for range 7 {
			s.press("-")
		}
		s.shows(taskID(2)[:8], "┆ 2 h ┆")
		s.hides("ended earlier")
		axis := func(now bool) {
			t.Helper()
			if l := line(s, "TASK"); strings.Contains(l, "now") != now {
				t.Errorf("the axis is %s", l)
			}
		}
		s.press("h")
		axis(false)
		s.press("h", "h", "h")
		s.shows("No task in this period; 0 goes back to now.")
		s.press("l", "l", "l")
		s.press("l", "l")
		axis(true)
		s.press("0")
		s.hides(taskID(2)[:8])
		s.press("+", "+")
		s.shows(taskID(1)[:8])
		axis(true)
	})
}

func TestALineOfTheTimelineOpensByFeatures(t *testing.T) {
	opened(t, 100, 24, uploads(), []string{"6", "p", "j"}, func(s *terminal) {
		s.hides("transcription")
		s.press("right")
		s.shows("transcription")
		s.press("j", "j", "left")
		s.hides("transcription")
		s.press("enter")
		s.shows(" Task ", " Payload ")
		s.press("esc", "h")
		s.hides(" Task ")
		if l := line(s, "TASK"); strings.Contains(l, "now") {
			t.Errorf("after h the axis is %s", l)
		}
	})
}

func TestATaskWithoutTimesIsDrawnAtItsReceipt(t *testing.T) {
	d := event(1, "task.progress", 5*time.Second)
	d.Body = []byte(`{"event_type":"task.progress","data":{"task":{"id":"untimed","features":{"proxy":{"state":"processing"}}}}}`)
	ahead := event(2, "task.progress", time.Hour, "proxy=processing")
	ahead.Received = d.Received
	opened(t, 100, 24, []model.Delivery{d, ahead}, []string{"6"}, func(s *terminal) {
		s.shows("█")
		if l := line(s, "untimed"); !strings.Contains(l, "15s") {
			t.Errorf("received 15 s ago, but drawn as %s", l)
		}
		if l := line(s, taskID(2)[:8]); !strings.Contains(l, "█") || strings.Contains(l, "→") {
			t.Errorf("ahead of our clock, but drawn as %s", l)
		}
	})
}

func TestNothingIsDrawnQueuedBeforeAnyEventSaysSo(t *testing.T) {
	onScreen(t, 100, 24, nil, func(s *terminal) {
		s.wait(10 * time.Second)
		s.deliver(createdAt(event(1, "task.completed", 10*time.Second, "proxy=completed"), 0))
		s.press("6")
		if l := line(s, taskID(1)[:8]); strings.Contains(l, "░") || !strings.Contains(l, "──") || !strings.Contains(l, "10s") {
			t.Errorf("created 10 s before the first event, but drawn as %s", l)
		}
	})
}

func TestAFeatureOfAspectsOwnIsDrawnWhereItIs(t *testing.T) {
	for name, history := range map[string][]model.Delivery{
		"there are no others":       {event(1, "task.progress", 5*time.Second, "scene_detect=processing")},
		"a feature failed the task": {event(1, "task.progress", 0, "scene_detect=processing", "proxy=processing"), event(1, "task.progress", 5*time.Second, "scene_detect=processing", "proxy=failed")},
	} {
		opened(t, 100, 24, history, []string{"enter", "tab", "shift+tab"}, func(s *terminal) {
			if l := line(s, "scene_detect "); strings.Contains(l, "←") || !strings.Contains(l, "█") {
				t.Errorf("%s: %s", name, l)
			}
		})
	}
}

func TestTheLegendLosesWholeSignsFromTheEnd(t *testing.T) {
	const all = "  ░ queued  █ processing  ◇ usual end  ◇█ overdue  █✓ completed  █✗ failed  █⊘ cancelled"
	opened(t, 80, 24, uploads(), []string{"6"}, func(s *terminal) {
		for w := MinWidth; w <= 90; w++ {
			s.send(tea.WindowSizeMsg{Width: w, Height: 24})
			legend := line(s, "░ queued")
			if rest, found := strings.CutPrefix(all, legend); !found || rest != "" && !strings.HasPrefix(rest, "  ") {
				t.Errorf("at %d columns: %q", w, legend)
			}
		}
	})
}

// Reversed, a full cell looks like an empty one.
func TestTheBarOfTheSelectedRowIsNotReversed(t *testing.T) {
	for _, theme := range []string{"terminal", "mono"} {
		opened(t, 80, 24, uploads(), []string{"6"}, func(s *terminal) {
			row := strings.Split(s.m.View().Content, "\n")[4]
			name, bar, found := strings.Cut(row, "█")
			if !found || !strings.Contains(name, "\x1b[7m") {
				t.Errorf("%s: the row is %q", theme, row)
			}
			if bar = name[strings.LastIndex(name, taskID(5)[:8]):] + bar; strings.Contains(bar, "\x1b[7m─") || strings.Contains(bar, "7m█") {
				t.Errorf("%s: the bar is reversed: %q", theme, bar)
			}
		}, func(o *options) { o.Theme = theme })
	}
}

func TestWhatIsPastItsUsualEndIsOverdueInEveryView(t *testing.T) {
	var ds []model.Delivery
	for n := 1; n <= 3; n++ {
		ds = append(ds, event(n, "task.progress", 0, "proxy=processing"), event(n, "task.completed", 5*time.Second, "proxy=completed"))
	}
	ds = append(ds, event(4, "task.progress", 6*time.Second, "proxy=processing"))
	for key, want := range map[string]string{"1": " overdue ", "2": " overdue", "6": "█ overdue"} {
		opened(t, 120, 30, ds, []string{key}, func(s *terminal) {
			s.wait(20 * time.Second)
			s.shows(want)
			s.hides("soon")
		})
	}
	for n := range 3 {
		ds = append(ds, event(n+5, "task.progress", 7*time.Second, "preview=queued", "visual=queued", "transcription=queued", "chapters=queued"))
	}
	opened(t, 80, 24, ds, nil, func(s *terminal) {
		s.wait(20 * time.Second)
		s.shows(" over ")
		s.hides("overd")
	})
}
