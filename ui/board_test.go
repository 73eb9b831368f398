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

// retried is a task whose visual feature failed once and is processed again.
func retried() []model.Delivery {
	s := time.Second
	return []model.Delivery{
		event(6, "task.progress", 0, "proxy=queued", "visual=queued"),
		event(6, "task.progress", 4*s, "proxy=processing", "visual=processing"),
		event(6, "task.failed", 10*s, "proxy=completed", "visual=failed"),
		event(6, "task.progress", 16*s, "proxy=completed", "visual=queued"),
		event(6, "task.progress", 18*s, "proxy=completed", "visual=processing"),
	}
}

// manyUploads are n queued tasks, the first the oldest.
func manyUploads(n int) []model.Delivery {
	ds := make([]model.Delivery, n)
	for i := range ds {
		ds[i] = event(i+1, "task.progress", time.Duration(i)*time.Millisecond, "proxy=queued", "preview=queued", "visual=queued", "transcription=queued")
	}
	return ds
}

// onBoard shows deliveries on the board.
func onBoard(t *testing.T, w, h int, history []model.Delivery, test func(s *terminal), change ...func(*options)) {
	t.Helper()
	onScreen(t, w, h, history, func(s *terminal) {
		s.wait(30 * time.Second)
		s.press("2")
		test(s)
	}, change...)
}

func TestFramesOfTheBoard(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			onBoard(t, size[0], size[1], append(uploads(), retried()...), func(s *terminal) { s.matchesGolden() })
		})
	}
	t.Run("ascii", func(t *testing.T) {
		onBoard(t, 80, 24, uploads(), func(s *terminal) { s.matchesGolden() }, func(o *options) { o.ASCII = true })
	})
}

func TestTheBoardFitsEverySize(t *testing.T) {
	onBoard(t, 80, 24, append(uploads(), retried()...), func(s *terminal) { s.fitsEverySize() })
}

// fitsEverySize draws what is shown at each size up to 130x40.
func (s *terminal) fitsEverySize() {
	s.t.Helper()
	for w := 1; w <= 130; w++ {
		for h := 1; h <= 40; h++ {
			s.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
			s.frame()
		}
	}
}

// selected is the id of the task that the board has selected.
func (s *terminal) selected() string {
	s.t.Helper()
	sel := s.m.views[s.m.view].Selection(s.m.Screen, false)
	if sel.Task == nil {
		return ""
	}
	return sel.Task.ID()
}

// selects fails the test unless task n is selected and its card is whole.
func (s *terminal) selects(n int) {
	s.t.Helper()
	if got := s.selected(); got != taskID(n) {
		s.t.Errorf("task %s is selected, not %s:\n%s", got, taskID(n), s.frame())
	}
	lines := strings.Split(s.frame(), "\n")
	title := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "┏") && strings.Contains(l, taskID(n)[:8]) })
	end := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "┗") })
	if title < 0 || end < title {
		s.t.Errorf("the selected card of task %d is not whole on the screen:\n%s", n, s.frame())
	}
}

func TestTheBoardShowsThePathOfEachFeature(t *testing.T) {
	onBoard(t, 120, 30, uploads(), func(s *terminal) {
		s.shows(
			"proxy           2s     3s   ✓ ", // queued for 2 s, processed for 3 s, done
			"visual          15s  ▸ 9s",      // still processing
		)
	})
}

func TestAFeatureThatIsProcessedAgainTellsHowOften(t *testing.T) {
	onBoard(t, 80, 24, retried(), func(s *terminal) {
		// Queued 4 s and 2 s, processed for 6 s and, so far, 12 s.
		s.shows("visual     ×2   6s   ▸ 18s", "proxy           4s     6s   ✓ ")
	})
}

func TestAnUnknownStateIsShownByItsOwnWord(t *testing.T) {
	onBoard(t, 80, 24, uploads(), func(s *terminal) { s.shows("? warming 6s") })
}

func TestWhatAFailedTaskLeftUnfinishedStandsStill(t *testing.T) {
	onBoard(t, 120, 30, uploads(), func(s *terminal) {
		s.shows("transcription   15s  ▸ 2s")
		s.wait(10 * time.Second)
		s.shows("transcription   15s  ▸ 2s")
	})
}

func TestOnlyWhatIsProcessedMoves(t *testing.T) {
	moving := func(o *options) { o.ReducedMotion = false }
	onBoard(t, 120, 30, uploads(), func(s *terminal) {
		seen := map[bool]bool{}
		for range 4 {
			s.wait(time.Second / 2)
			seen[strings.Contains(s.frame(), "▹ processing")] = true
			s.hides("transcription   15s   ▹")
		}
		if len(seen) != 2 {
			t.Error("the sign of what is processed stands still")
		}
		s.press("space")
		before := s.frame()
		s.wait(2 * time.Second)
		if s.frame() != before {
			t.Error("the frozen screen moves")
		}
	}, moving)
	onBoard(t, 120, 30, uploads(), func(s *terminal) {
		for range 4 {
			s.wait(time.Second / 2)
			s.hides("▹")
		}
	})
}

func TestAFailedCardStandsOutAndASelectedOneIsTold(t *testing.T) {
	onBoard(t, 80, 24, uploads(), func(s *terminal) {
		s.press("G")
		frame := s.m.View().Content
		if !strings.Contains(frame, s.m.Theme.On[draw.Bad]+draw.Round.TopLeft) {
			t.Error("the card of the failed task has no frame of its own colour")
		}
		s.selects(1)
	}, func(o *options) { o.Theme = "mono" })
}

func TestKeysMoveBetweenCards(t *testing.T) {
	// 12 tasks on 120 cells: rows of three, newest first: 12 11 10 / 9 8 7 / ...
	onBoard(t, 120, 24, manyUploads(12), func(s *terminal) {
		for _, step := range []struct {
			key string
			n   int
		}{
			{"right", 11}, {"l", 10}, {"right", 10}, {"down", 7}, {"j", 4}, {"left", 5}, {"h", 6}, {"left", 6},
			{"up", 9}, {"k", 12}, {"up", 12}, {"G", 1}, {"down", 1}, {"g", 12}, {"pgdown", 9}, {"ctrl+d", 6}, {"ctrl+u", 9},
			{"end", 1}, {"pgup", 4}, {"home", 12},
		} {
			s.press(step.key)
			if s.selects(step.n); t.Failed() {
				t.Fatalf("after %s", step.key)
			}
		}
	})
}

func TestTheLastRowOfCardsMayBeShorter(t *testing.T) {
	onBoard(t, 120, 24, manyUploads(5), func(s *terminal) { // 5 4 3 / 2 1
		s.press("right", "right", "down")
		s.selects(1)
		s.press("right")
		s.selects(1)
	})
}

func TestTheSelectedCardIsHeldByItsTask(t *testing.T) {
	onBoard(t, 120, 24, manyUploads(12), func(s *terminal) {
		s.press("right")
		s.shows("no longer following")
		s.deliver(event(13, "task.progress", time.Minute, "proxy=queued"), event(14, "task.progress", time.Minute+time.Second, "proxy=queued"))
		s.selects(11)
		s.press("f")
		s.selects(14)
		s.deliver(event(15, "task.progress", 2*time.Minute, "proxy=queued"))
		s.selects(15)
	})
}

func TestTasksAndBoardShareOrderAndSelection(t *testing.T) {
	onBoard(t, 120, 24, manyUploads(12), func(s *terminal) {
		s.press("down", "1")
		if got := s.selected(); got != taskID(9) {
			t.Errorf("the list has %s selected", got)
		}
		s.press("down", "2")
		s.selects(8)
		s.press("s")
		s.shows("sorted by state")
		s.press("s") // by age: task 1 was created last
		s.press("g")
		s.selects(1)
	})
}

func TestTheNextFailureIsFoundOnTheBoard(t *testing.T) {
	onBoard(t, 80, 24, append(manyUploads(20), event(30, "task.failed", 0, "proxy=failed")), func(s *terminal) {
		s.press("n")
		s.selects(30)
		s.press("g", "!")
		s.selects(30)
		s.shows("1 shown")
	})
}

func TestTheBoardFollowsTheFilter(t *testing.T) {
	onBoard(t, 120, 30, uploads(), func(s *terminal) {
		s.press("/")
		s.write("state:failed")
		s.shows(taskID(2)[:8])
		s.hides(taskID(1)[:8], taskID(3)[:8])
		s.press("enter", "/")
		s.write(" nothing")
		s.shows("Nothing matches the filter")
		s.press("down", "left", "pgdown", "enter") // nothing to move to
	})
}

func TestAClickSelectsACard(t *testing.T) {
	onBoard(t, 120, 24, manyUploads(12), func(s *terminal) {
		s.press("m")
		click := func(x, y int) { s.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
		click(50, 5) // header 2, tabs 1, headings 1: the second card of the first row
		s.selects(11)
		click(100, 13) // the third of the second row
		s.selects(7)
		click(119, 3) // the headings
		s.selects(7)
	})
}

func TestEnterOpensTheCard(t *testing.T) {
	onBoard(t, 120, 24, manyUploads(3), func(s *terminal) {
		s.press("right", "enter")
		if s.m.detail == nil || s.m.pointed().Task.ID() != taskID(2) {
			t.Error("the card's task is not open")
		}
		s.press("esc")
		s.selects(2)
	})
}

func TestACardThatIsTooHighTellsWhatIsLeftOut(t *testing.T) {
	var features []string
	for i := range 60 {
		features = append(features, fmt.Sprintf("f%02d=queued", i))
	}
	onBoard(t, 80, 24, []model.Delivery{event(1, "task.progress", 0, features...), event(2, "task.progress", 0)}, func(s *terminal) {
		s.shows("f00", "f14", "… 45 more", "0/60", "no features yet", "┗")
	})
}

func TestHostileTextOnTheBoardIsHarmless(t *testing.T) {
	for _, evil := range hostile {
		d := event(1, "task.progress", 0, evil+"="+evil, "visual="+evil)
		d.Body = []byte(strings.ReplaceAll(string(d.Body), taskID(1), strings.ReplaceAll(fmt.Sprintf("%q", evil)[1:], `"`, "")))
		onBoard(t, 80, 24, []model.Delivery{d, event(2, "task.progress", 0, evil+"="+evil)}, func(s *terminal) {
			frame := s.frame()
			for _, corners := range [][2]string{{"╭", "╮"}, {"┏", "┓"}, {"╰", "╯"}, {"┗", "┛"}} {
				if left, right := strings.Count(frame, corners[0]), strings.Count(frame, corners[1]); left != right {
					t.Errorf("%q: %d %s and %d %s in\n%s", evil, left, corners[0], right, corners[1], frame)
				}
			}
			s.press("right", "5")
		})
	}
}

// hostile are texts that must not reach the terminal as they are.
var hostile = []string{
	"\x1b]52;c;aGk=\x07", "\x1b[2J\x1b[H", "\u009b31m", "a\r\nb\tc", "\u202egnp.exe", strings.Repeat("w", 5000),
	"日本語の長い名前テキスト日本語の長い名前", "👩\u200d💻👍🏽", "\x00\x7f", "e\u0301\u0301\u0301\u0301",
}

func TestTheSelectionStandsBelowCardsThatLeaveEightLines(t *testing.T) {
	for _, c := range []struct {
		h     int
		below bool
	}{{30, true}, {28, true}, {27, false}} {
		opened(t, 160, c.h, uploads(), []string{"2"}, func(s *terminal) {
			if below := strings.Contains(s.frame(), "Last events"); below != c.below {
				t.Errorf("on %d lines the selection stands below: %v\n%s", c.h, below, s.frame())
			}
			s.press("j")
			if rows := strings.Count(s.frame(), "FEATURE"); rows != 4 {
				t.Errorf("the heading is of %d cards", rows)
			}
		})
	}
}
