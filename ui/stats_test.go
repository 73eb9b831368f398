package ui

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
)

// onStats shows deliveries and their statistics.
func onStats(t *testing.T, w, h int, history []model.Delivery, test func(s *terminal), change ...func(*options)) {
	t.Helper()
	onScreen(t, w, h, history, func(s *terminal) {
		s.wait(30 * time.Second)
		s.press("5")
		test(s)
	}, change...)
}

// line is the first line of the frame that holds the text, blanks folded.
func (s *terminal) line(text string) string {
	s.t.Helper()
	for _, l := range strings.Split(s.frame(), "\n") {
		if strings.Contains(l, text) {
			return strings.Join(strings.Fields(l), " ")
		}
	}
	s.t.Errorf("the screen does not show %q:\n%s", text, s.frame())
	return ""
}

// silent are two tasks of which nothing has been heard for long.
func silent() []model.Delivery {
	return []model.Delivery{
		event(7, "task.progress", -12*time.Minute, "proxy=completed", "visual=processing"),
		event(8, "task.progress", -45*time.Minute, "proxy=queued"),
	}
}

func TestFramesOfStats(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			onStats(t, size[0], size[1], append(silent(), uploads()...), func(s *terminal) { s.matchesGolden() })
		})
	}
	t.Run("none", func(t *testing.T) {
		onStats(t, 80, 24, nil, func(s *terminal) { s.matchesGolden() })
	})
	t.Run("ascii", func(t *testing.T) {
		onStats(t, 120, 30, uploads(), func(s *terminal) { s.matchesGolden() }, func(o *options) { o.ASCII, o.Theme = true, "mono" })
	})
}

func TestTheStatsFitEverySize(t *testing.T) {
	onStats(t, 80, 24, append(silent(), uploads()...), func(s *terminal) { s.fitsEverySize() })
}

// The figures are worked out by hand from uploads: proxy was queued 2 s and
// 15 s and processed 3 s and 15 s; preview was queued 2, 15 and 15 s, processed
// 3 s with success and 2 s without.
func TestTheStatsTellMediansAndSuccess(t *testing.T) {
	onStats(t, 80, 40, uploads(), func(s *terminal) {
		for _, want := range []struct{ feature, queued, processing string }{
			{"proxy", "100% · queued 2.0s 15s", "5 tasks ▸ processing 3.0s 15s"},
			{"preview", "50% · queued 15s 15s", "5 tasks ▸ processing 2.0s 3.0s"},
			{"visual", "100% · queued 5.0s 15s", "5 tasks ▸ processing 12s 12s"},
			{"embedding", "– · queued – –", "1 task ▸ processing – –"},
			{"scene_detect", "100% · queued – –", "1 task ▸ processing 15s 15s"},
		} {
			lines := strings.Split(s.frame(), "\n")
			for i, l := range lines {
				if strings.HasPrefix(l, " "+want.feature+" ") {
					if got := withoutBars(l); got != want.feature+" "+want.queued {
						t.Errorf("%s is told as %q", want.feature, got)
					}
					if got := withoutBars(lines[i+1]); got != want.processing {
						t.Errorf("the processing of %s is told as %q", want.feature, got)
					}
				}
			}
		}
		s.shows("50% success: 1 of 2")
		s.press("G")
		for state, want := range map[string]string{"▸ processing": "2 40%", "· queued": "0 0%", "✓ completed": "1 20%", "✗ failed": "1 20%", "⊘ cancelled": "1 20%"} {
			if want = state + " " + want; !strings.Contains(withoutBars(s.frame()), want) {
				t.Errorf("the tasks by state do not tell %q", want)
			}
		}
	})
}

// withoutBars folds blanks and drops bars.
func withoutBars(line string) string {
	line = strings.Map(func(r rune) rune {
		if strings.ContainsRune(draw.GlyphFull+draw.GlyphWait+draw.GlyphEmpty+draw.GlyphThick, r) {
			return ' '
		}
		return r
	}, line)
	return strings.Join(strings.Fields(line), " ")
}

func TestBarsOfAllFeaturesHaveOneScale(t *testing.T) {
	onStats(t, 80, 40, uploads(), func(s *terminal) {
		full := strings.Count(s.line("preview  "), draw.GlyphFull) // the median is the longest time of all
		if half := strings.Count(s.line("visual  "), draw.GlyphFull); half < full/3-1 || half > full/3+1 {
			t.Errorf("15 s have %d cells, 5 s have %d", full, half)
		}
	})
}

func TestTheStatsFollowTheFilter(t *testing.T) {
	onStats(t, 80, 40, uploads(), func(s *terminal) {
		s.press("/")
		s.write("task:2e1c7e01")
		s.press("enter")
		s.shows("1 task ", "100% success: 1 of 1", "4 in the last")
		if got := withoutBars(s.line("proxy")); got != "proxy 100% · queued 2.0s 2.0s" {
			t.Errorf("proxy is told as %q", got)
		}
		s.hides("scene_detect", taskID(2)[:8])
		s.press("esc")
		s.shows("5 tasks", "scene_detect", "11 in the last")
		s.press("/")
		s.write("nosuchthing")
		s.shows("Nothing matches the filter")
	})
}

func TestTheStatsWithAFilterThatPassesAllAreTheSame(t *testing.T) {
	onStats(t, 120, 60, uploads(), func(s *terminal) {
		before := strings.Join(s.m.views[slices.Index(Views(), "stats")].Draw(s.m.Screen, 120, 56), "\n")
		s.press("/")
		s.write("-nosuchthing")
		s.press("enter")
		if after := strings.Join(s.m.views[slices.Index(Views(), "stats")].Draw(s.m.Screen, 120, 56), "\n"); after != before {
			t.Errorf("with the filter the statistics are\n%s\nnot\n%s", after, before)
		}
	})
}

func TestTheListsOfTheStatsTakeTheRoomThatIsThere(t *testing.T) {
	var ds []model.Delivery
	for n := range 20 {
		ds = append(ds, event(n+1, "task.completed", time.Duration(n)*time.Second, "proxy=completed"))
	}
	for h, want := range map[int]int{20: 5, 60: 20} {
		onStats(t, 120, h, ds, func(s *terminal) {
			got := 0
			for n := range 20 {
				got += strings.Count(s.frame(), taskID(n + 1)[:8])
			}
			if got != want {
				t.Errorf("%d lines list %d of the slowest, not %d:\n%s", h, got, want, s.frame())
			}
		})
	}
}

func TestTheSlowestAndTheStalledTasksCanBeOpened(t *testing.T) {
	onStats(t, 120, 40, append(silent(), uploads()...), func(s *terminal) {
		s.shows("no event for 45m30", "no event for 12m30")
		s.press("enter")
		s.shows("no task selected")
		for _, step := range []struct {
			keys []string
			n    int
		}{
			{[]string{"j"}, 4},           // the slowest one
			{[]string{"j", "j", "j"}, 8}, // the one that has waited longest for news
			{[]string{"j"}, 7},
			{[]string{"j"}, 7},
			{[]string{"k"}, 8},
		} {
			if s.press(step.keys...); s.selected() != taskID(step.n) {
				t.Errorf("after %v, %s is selected", step.keys, s.selected())
			}
		}
		s.press("enter")
		if s.m.detail == nil || s.m.pointed().Task.ID() != taskID(8) {
			t.Error("the stalled task is not open")
		}
		s.press("esc")
		if s.selected() != taskID(8) {
			t.Errorf("back from the task, %s is selected", s.selected())
		}
	})
}

func TestAClickSelectsATaskInTheStats(t *testing.T) {
	onStats(t, 120, 40, uploads(), func(s *terminal) {
		for y, l := range strings.Split(s.frame(), "\n") {
			if strings.Contains(l, taskID(1)[:8]) {
				s.send(tea.MouseClickMsg{X: 70, Y: y, Button: tea.MouseLeft})
			}
		}
		if s.selected() != taskID(1) {
			t.Errorf("%s is selected", s.selected())
		}
	})
}

func TestTheStatsScrollAndSelectOnlyWhatIsInSight(t *testing.T) {
	onStats(t, 60, 16, uploads(), func(s *terminal) {
		s.shows("Features", "more lines")
		s.press("j")
		if s.selected() != "" {
			t.Error("a task out of sight is selected")
		}
		for range 30 {
			s.press("j")
		}
		if s.selected() != taskID(1) {
			t.Errorf("%s is selected", s.selected())
		}
		s.shows("lines above", taskID(1)[:8])
		s.press("g")
		s.shows("Features")
		if s.selected() != "" {
			t.Error("a task out of sight is still selected")
		}
		s.press("G", "k")
		s.shows("lines above")
		if s.selected() != taskID(1) {
			t.Errorf("%s is selected", s.selected())
		}
		s.press("pgup", "ctrl+u", "pgdown", "ctrl+d")
		s.shows("lines above")
	})
}

func TestDeliveriesAreCountedOverTime(t *testing.T) {
	for _, test := range []struct {
		title, top string
		before     int // deliveries 20 minutes ago: too long for stretches of ten seconds
		columns    []int
	}{
		{"Deliveries per 10s", " 5 │", 0, []int{5, 2, 4}},
		{"Deliveries per minute", " 22 │", 22, []int{22, 11}},
	} {
		history := uploads()
		for i := range test.before {
			history = append(history, event(50+i, "task.progress", -20*time.Minute, "proxy=queued"))
		}
		onStats(t, 80, 40, history, func(s *terminal) {
			s.shows(test.title, test.top, fmt.Sprintf("%d in the last", len(history)))
			if got := slices.Compact(s.columns()); !slices.Equal(got, test.columns) {
				t.Errorf("the columns show %v, not %v:\n%s", got, test.columns, s.frame())
			}
		})
	}
}

// columns reads the chart: the columns that are not empty as they stand, told
// by their height and the number at the top.
func (s *terminal) columns() []int {
	s.t.Helper()
	heights := make([]int, 80)
	most, high := 0, 0
	for _, l := range strings.Split(s.frame(), "\n") {
		axis, chart, ok := strings.Cut(l, draw.GlyphWall)
		if !ok || strings.Contains(l, "tasks") || strings.Contains(l, "now") {
			continue
		}
		if high++; most == 0 {
			fmt.Sscan(axis, &most)
		}
		for x, r := range []rune(chart) {
			heights[x] += 1 + strings.Index("▁▂▃▄▅▆▇█", string(r))/len("▁")
			if r == ' ' {
				heights[x]--
			}
		}
	}
	var counts []int
	for _, h := range heights {
		if h > 0 {
			counts = append(counts, (h*most+high*4)/(high*8))
		}
	}
	return counts
}

func TestHostileTextInTheStatsIsHarmless(t *testing.T) {
	for _, evil := range hostile {
		var many []string
		for i := range 60 {
			many = append(many, fmt.Sprintf("%d%s=%s", i, evil, evil))
		}
		d := event(1, "task.failed", 0, many...)
		d.Body = []byte(strings.ReplaceAll(string(d.Body), taskID(1), strings.Trim(fmt.Sprintf("%q", evil), `"`)))
		onStats(t, 80, 24, []model.Delivery{d}, func(s *terminal) {
			s.frame()
			s.press("G")
		})
	}
}
