package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
)

// selectedLine is the line with the cursor.
func (s *terminal) selectedLine() string {
	s.t.Helper()
	for line := range strings.Lines(s.frame()) {
		if strings.HasPrefix(line, draw.GlyphCursor) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestTheSelectionFollowsTheNewestUntilAnotherRowIsChosen(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e05") {
			t.Errorf("the newest task is not selected: %s", line)
		}
		s.press("j", "j")
		s.shows("no longer following")
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e03") {
			t.Errorf("two rows down is %s", line)
		}
		before := lineOf(s.frame(), "2e1c7e03")
		s.deliver(event(6, "task.progress", 40*time.Second, "proxy=queued"))
		s.shows("2e1c7e06")
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e03") {
			t.Errorf("the selection moved to %s", line)
		}
		if after := lineOf(s.frame(), "2e1c7e03"); after != before+1 {
			// The list is not full, so nothing can scroll: the row moves down.
			t.Errorf("the selected row moved from line %d to %d", before, after)
		}
		s.press("f")
		s.shows("following the newest")
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e06") {
			t.Errorf("after f the selection is on %s", line)
		}
	})
}

func lineOf(frame, text string) int {
	for i, line := range strings.Split(frame, "\n") {
		if strings.Contains(line, text) {
			return i
		}
	}
	return -1
}

func many(n int) []model.Delivery {
	var ds []model.Delivery
	for i := range n {
		ds = append(ds, event(i+1, "task.progress", time.Duration(i)*time.Millisecond, "proxy=queued"))
	}
	return ds
}

func TestNothingScrollsUnderTheReadersEyes(t *testing.T) {
	for name, view := range map[string]string{"tasks": "1", "events": "3"} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, 100, 24, many(200), func(s *terminal) {
				s.wait(time.Second)
				s.press(view)
				for range 60 {
					s.press(map[string]string{"1": "j", "3": "k"}[view])
				}
				selected := s.selectedLine()
				before := lineOf(s.frame(), draw.GlyphCursor)
				for i := range 20 {
					s.deliver(event(300+i, "task.progress", 10*time.Second, "proxy=queued"))
				}
				if now := s.selectedLine(); firstWords(now) != firstWords(selected) {
					t.Errorf("the selection moved from\n%s to\n%s", selected, now)
				}
				if after := lineOf(s.frame(), draw.GlyphCursor); after != before {
					t.Errorf("the selected row moved from line %d to line %d", before, after)
				}
			})
		})
	}
}

// firstWords is a row without its ages.
func firstWords(line string) string {
	fields := strings.Fields(line)
	return strings.Join(fields[:min(4, len(fields))], " ")
}

func TestAFrozenScreenStandsStillAndCounts(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(30 * time.Second)
		s.press("space")
		frame := body(s.frame())
		s.journal.Append(event(7, "task.failed", 31*time.Second, "proxy=failed"), event(8, "task.failed", 31*time.Second, "proxy=failed"))
		s.wait(3 * time.Second)
		if now := body(s.frame()); now != frame {
			t.Errorf("the frozen screen changed from\n%s\nto\n%s", frame, now)
		}
		s.shows("frozen, 2 new")
		s.press("3", "1") // looking around goes on
		s.hides("2e1c7e07")
		s.press("space")
		s.wait(soon)
		s.shows("2e1c7e07", "2e1c7e08", "7 tasks")
		s.hides("frozen")
		s.deliver(event(9, "task.failed", 40*time.Second, "proxy=failed"))
		s.shows("2e1c7e09")
	})
}

// body is a frame without its last two lines, which count on.
func body(frame string) string {
	lines := strings.Split(frame, "\n")
	return strings.Join(lines[:len(lines)-2], "\n")
}

func TestTheFilterActsWhileItIsTyped(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("/")
		s.write("state:fai")
		s.shows("1 shown", "2e1c7e02")
		s.hides("2e1c7e01")
		s.write("x")
		s.shows("state:fai") // wrong now: the message stands there, the last good filter holds
		s.hides("2e1c7e01")
		s.press("backspace", "enter")
		s.shows("/state:fai", "1 shown", "esc clear filter")
		s.press("3")
		s.shows("task.failed")
		s.hides("task.completed")
		s.press("1", "esc")
		s.shows("2e1c7e01", "2e1c7e02")
	})
}

func TestAnEscapeWhileTypingKeepsNoFilter(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("/")
		s.write("q") // a letter that is a key elsewhere
		s.press("esc")
		s.shows("2e1c7e01", "2e1c7e05")
		if s.quit {
			t.Error("a letter in the filter was taken for a key")
		}
	})
}

func TestFailuresOnlyAndTheNextFailure(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("n")
		if line := s.selectedLine(); !strings.Contains(line, "failed") {
			t.Errorf("n went to %s", line)
		}
		s.press("!")
		s.shows("failures only", "2e1c7e02")
		s.hides("2e1c7e01", "2e1c7e05")
		s.press("3")
		s.shows("task.failed")
		s.hides("task.progress")
		s.press("!", "1")
		s.shows("2e1c7e01")
	})
}

func TestEachSortingPutsItsOwnFirst(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(30 * time.Second)
		for _, want := range []struct{ sorting, first string }{
			{"state", "2e1c7e02"},        // the failed one
			{"age", "2e1c7e01"},          // created a minute ago, task 5 five minutes
			{"duration", "2e1c7e05"},     // running for five minutes
			{"latest event", "2e1c7e05"}, // heard of last
		} {
			s.press("s", "g")
			s.shows("sorted by " + want.sorting)
			if line := strings.Split(s.frame(), "\n")[4]; !strings.Contains(line, want.first) {
				t.Errorf("sorted by %s, the first row is %s", want.sorting, line)
			}
		}
	})
}

// TestCopyingSaysOnlyWhatIsKnown: no terminal answers, so "copied" is said once the system's
// clipboard has taken the text.
func TestCopyingSaysOnlyWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		says string
		take func(string) error
	}{
		{"copied task id 2e1c7e05", func(string) error { return nil }},
		{"sent to the terminal: task id 2e1c7e05", func(string) error { return errors.New("no display") }},
		{"sent to the terminal: task id 2e1c7e05", func(string) error { time.Sleep(30 * time.Second); return nil }},
	} {
		onScreen(t, 100, 24, uploads(), func(s *terminal) {
			taken := ""
			s.m.Clipboard = func(text string) error {
				taken = text
				return c.take(text)
			}
			s.wait(soon)
			s.press("y")
			s.wait(clipboardTime)
			s.shows(c.says)
			if taken != taskID(5) || !strings.Contains(fmt.Sprint(s.printed), taskID(5)) {
				t.Errorf("the clipboard was given %q, and the terminal %v", taken, s.printed)
			}
		})
	}
}

func TestCopyingSaysWhatWasCopiedAndHoldsNoControlCharacters(t *testing.T) {
	hostile := event(1, "task.progress", 0, "proxy=queued")
	hostile.Body = []byte(strings.Replace(string(hostile.Body), "{", "{\n\t\"\\u001b[2J\": \"x\",", 1))
	onScreen(t, 100, 24, []model.Delivery{hostile}, func(s *terminal) {
		s.wait(soon)
		for _, c := range []struct{ key, says, holds string }{
			{"y", "sent to the terminal: task id 2e1c7e01", taskID(1)},
			{"Y", "sent to the terminal: the payload of #1", taskID(1)},
			{"c", "sent to the terminal: #1 as curl", "curl -sS -X POST"},
			{"u", "sent to the terminal: the receiver's URL", "http://127.0.0.1:8787/webhooks/aspect"},
		} {
			s.printed = nil
			s.press(c.key)
			s.shows(c.says)
			got := ""
			for _, msg := range s.printed {
				if fmt.Sprintf("%T", msg) == "tea.setClipboardMsg" {
					got = fmt.Sprint(msg)
				}
			}
			if !strings.Contains(got, c.holds) {
				t.Errorf("%s copied %q", c.key, got)
			}
			if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Errorf("%s copied a control character: %q", c.key, got)
			}
		}
	})
}

func TestSuspendingSaysFirstThatReceivingStops(t *testing.T) {
	onScreen(t, 100, 24, nil, func(s *terminal) {
		s.press("ctrl+z")
		s.shows("suspending also stops receiving")
		s.press("j", "ctrl+z") // another key in between: it is said again
		s.shows("suspending also stops receiving")
		if len(s.printed) > 0 && strings.Contains(fmt.Sprintf("%T", s.printed[len(s.printed)-1]), "uspend") {
			t.Error("suspended without having been asked twice")
		}
	})
	onScreen(t, 100, 24, nil, func(s *terminal) {
		s.press("ctrl+z")
		s.shows("cannot suspend")
	}, func(o *options) { o.CanSuspend = func() bool { return false } })
}

func TestTheHeaderSaysSinceWhenNothingCame(t *testing.T) {
	onScreen(t, 120, 24, nil, func(s *terminal) {
		s.wait(90 * time.Second)
		s.shows("no event for 1m30", "Waiting for the first event", "http://127.0.0.1:8787/webhooks/aspect", "aspectop demo")
		s.deliver(event(1, "task.progress", 90*time.Second, "proxy=queued"))
		s.hides("no event for")
		s.wait(2 * time.Minute)
		s.shows("last event 2m")
	})
}

func TestPresentationHidesUsersAndURLs(t *testing.T) {
	onScreen(t, 160, 40, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("enter")
		s.shows("3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111", "127.0.0.1:8787")
		s.press("P")
		for range 4 {
			s.hides("3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111", "127.0.0.1:8787")
			s.press("tab")
		}
	})
}

// Notices and what came of the tunnel name addresses; that of the live page lets anybody in.
func TestNoticesHideAddressesFromThoseWhoWereNotGivenThem(t *testing.T) {
	page, public := "http://127.0.0.1:8788/dG9rZW4/", "tunnel.example.com"
	notices := func(presents bool, hidden ...string) {
		t.Helper()
		onScreen(t, 160, 30, nil, func(s *terminal) {
			s.status.Add(model.Status{At: midnight, Notice: "live page: " + page + ", and more"})
			s.status.Add(model.Status{At: midnight, Tunnel: &model.Tunnel{State: model.TunnelFailed, PublicURL: "https://" + public, Detail: "origin: " + public + " answered 200"}})
			s.wait(soon)
			if s.press("3", "p"); presents {
				s.press("P")
			}
			for _, first := range []string{"g", "G"} {
				s.press(first)
				s.hides(hidden...)
				s.press("enter")
				s.hides(hidden...)
				s.press("esc")
			}
			s.shows("live page: (hidden), and more")
		}, func(o *options) { o.Remote = !presents })
	}
	notices(true, page, public)
	notices(false, page)
}

func TestNotifyRingsForWhatEndsButNotForHistory(t *testing.T) {
	raw := func(s *terminal) (told []string) {
		for _, msg := range s.printed {
			if r, ok := msg.(tea.RawMsg); ok {
				told = append(told, fmt.Sprint(r.Msg))
			}
		}
		return told
	}
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		if told := raw(s); len(told) > 0 {
			t.Errorf("the history was told: %q", told)
		}
		s.deliver(event(3, "task.failed", 30*time.Second, "proxy=failed"))
		if told := raw(s); len(told) != 1 || told[0] != "\a\x1b]9;aspectop: task 2e1c7e03 failed\x1b\\" {
			t.Errorf("a failure was told as %q", told)
		}
		s.printed = nil
		s.wait(15 * time.Minute) // task 5 stalls
		if told := raw(s); len(told) != 1 || !strings.Contains(told[0], "task 2e1c7e05 stalled") {
			t.Errorf("a stalled task was told as %q", told)
		}
	}, func(o *options) { o.Notify = true })
}

func TestTheMouseSelectsOnlyWhenItIsOn(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		if s.m.View().MouseMode != tea.MouseModeNone {
			t.Error("the mouse is on at the start")
		}
		s.press("m")
		if s.m.View().MouseMode != tea.MouseModeCellMotion {
			t.Error("m does not switch the mouse on")
		}
		s.send(tea.MouseClickMsg{X: 10, Y: lineOf(s.frame(), "2e1c7e03"), Button: tea.MouseLeft})
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e03") {
			t.Errorf("a click selected %s", line)
		}
		s.send(tea.MouseWheelMsg{X: 10, Y: 10, Button: tea.MouseWheelDown})
		if line := s.selectedLine(); !strings.Contains(line, "2e1c7e01") {
			t.Errorf("the wheel went to %s", line)
		}
	})
}

func TestTheSummaryTellsWhatTheSessionSaw(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		if got := s.m.Summary(); got != "" {
			t.Errorf("nothing came, but the summary is %q", got)
		}
		s.deliver(event(3, "task.failed", 30*time.Second, "proxy=failed"))
		for _, want := range []string{"1 verified, 0 rejected", "5 tasks: 1 processing, 1 completed, 2 failed, 1 cancelled", "failed features: proxy 1, preview 1\n", "median processing time: "} {
			if got := s.m.Summary(); !strings.Contains(got, want) {
				t.Errorf("the summary does not tell %q:\n%s", want, got)
			}
		}
		s.deliver(event(4, "task.failed", 31*time.Second, "a=failed", "b=failed", "c=failed", "d=failed"))
		if got := s.m.Summary(); !strings.Contains(got, ": proxy 1, preview 1, a 1, b 1, and 2 more\n") || strings.Count(got, "\n") != 4 {
			t.Errorf("of many features the summary tells\n%s", got)
		}
	})
}

func TestHistoryIsReadInTheBackgroundAndAllOfItCounts(t *testing.T) {
	onScreen(t, 100, 24, many(3*feed.FullBatch+17), func(s *terminal) {
		s.wait(time.Second)
		s.shows(fmt.Sprint(3*feed.FullBatch+17) + " tasks")
		s.press("3", "g")
		s.wait(soon)
		if line := s.selectedLine(); !strings.Contains(line, " 1 ") {
			t.Errorf("the first row of the log is %s", line)
		}
	})
}

func TestTheFooterEndsWithHelpAndQuitAndOffersNoDeadKey(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		for _, view := range []string{"1", "2", "3", "4", "5"} {
			s.press(view)
			s.shows("? help  q quit")
		}
		footer := func() string { return s.frame()[strings.LastIndexByte(s.frame(), '\n')+1:] }
		if strings.Contains(footer(), "s sort") || strings.Contains(footer(), "esc back") {
			t.Errorf("the statistics offer %q", footer())
		}
		s.press("s")
		s.shows("that key does nothing here")
		s.press("p")
		s.shows("this view has nothing to show beside")
		s.wait(flashTime)
		s.press("1", "enter")
		if !strings.Contains(footer(), "esc back") {
			t.Errorf("a task offers %q", footer())
		}
	})
}

func TestARefusalIsToldWhereTheFirstTaskIsAwaited(t *testing.T) {
	onScreen(t, 120, 24, nil, func(s *terminal) {
		s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{ID: "msg_1", Verdict: model.Verdict{
			Reason: model.NoMatch, Detail: "no secret matches", Hint: "matches after trimming a trailing newline"}}})
		s.wait(time.Second)
		s.shows("1 request was rejected", "no secret matches", "trimming a trailing newline", "only rejected requests")
		s.hides("Waiting for the first event")
		ping := event(1, "x", 0)
		ping.Body = []byte(`{"success": true}`)
		s.deliver(ping)
		s.shows("1 delivery is verified, but none is about a task")
	})
}

func TestAKeyMeansTheTaskThatWasSeenWhenItWasPressed(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(time.Second) // task 5 is selected, and followed by what is newest
		s.deliver(event(7, "task.progress", 40*time.Second, "proxy=queued"))
		s.press("y") // at once: the reader saw task 5
		s.shows("sent to the terminal: task id 2e1c7e05")
		s.wait(time.Second)
		s.press("enter")
		s.shows(taskID(7))
	})
}

func TestAKeyMeansTheEventThatWasSeenWhenItWasPressed(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("3")
		s.wait(time.Second)
		s.deliver(event(6, "task.progress", 40*time.Second, "proxy=queued"))
		s.wait(time.Second) // it is selected, and followed by what is newest
		s.deliver(event(7, "task.progress", 41*time.Second, "proxy=queued"))
		s.press("y") // at once: the reader saw the event of task 6
		s.shows("sent to the terminal: task id 2e1c7e06")
		s.wait(time.Second)
		s.press("y")
		s.shows("sent to the terminal: task id 2e1c7e07")
	})
}

func TestAFrozenScreenOpensTasksAsTheyWere(t *testing.T) {
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("2", "space")
		frozen := body(s.frame())
		s.wait(5 * time.Second)
		s.deliver(event(3, "task.failed", 40*time.Second, "proxy=completed", "preview=failed", "visual=failed", "transcription=na"),
			event(8, "task.progress", 41*time.Second, "proxy=queued"))
		s.shows("frozen, 2 new")
		s.press("right", "right", "left", "left")
		s.wait(flashTime)
		if now := body(s.frame()); now != frozen {
			t.Errorf("the frozen board changed from\n%s\nto\n%s", frozen, now)
		}
		s.press("3")
		s.shows("      11 ")
		s.hides("      12 ", "2e1c7e08")
		s.press("1", "j", "j", "enter")
		s.shows(taskID(3), "▸ processing", "2 of 4 ended")
		s.press("esc", "space")
		s.shows("2e1c7e08", "✗ failed     2e1c7e03")
	})
}

func TestAStalledTaskIsCountedAndStandsAmongTheFailures(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.hides("stalled")
		s.wait(12 * time.Minute)
		s.deliver(event(6, "task.progress", 12*time.Minute, "proxy=queued"))
		s.shows("2 stalled", "▸ stalled    2e1c7e05", "▸ stalled    2e1c7e03")
		s.press("!")
		s.shows("2e1c7e05", "2e1c7e03", "2e1c7e02", "3 shown")
		s.hides("2e1c7e06", "2e1c7e01")
	})
}

// The date costs no column where all rows are of one day, and none its TYPE where they are not.
func TestTheLogNamesTheDayOfItsRows(t *testing.T) {
	var history []model.Delivery
	for i := range 30 {
		history = append(history, event(i, "task.progress", time.Duration(i-40)*time.Minute, "proxy=queued"))
	}
	history = append(history, event(40, "task.progress", 0, "proxy=queued"))
	opened(t, 80, 24, history, []string{"3"}, func(s *terminal) {
		s.shows("TIME        VERDICT   TYPE", "12-31 23:49           task.progress", "00:00:00              task.progress")
		s.press("g")
		s.shows("12-31    VERDICT   TYPE", "23:20:00           task.progress")
		s.hides("12-31 23:", "TIME")
	})
}

func TestEscGivesTheFilterBackThatWasThereBefore(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("/")
		s.write("state:failed")
		s.press("enter")
		s.shows("1 shown")
		s.press("/")
		s.write(" nosuchthing")
		s.shows("0 shown")
		s.press("esc")
		s.shows("/state:failed", "1 shown")
		s.press("esc")
		s.hides("shown")
	})
}

func TestAClickOnATabTurnsToItAndASecondClickOpens(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		click := func(x, y int) { s.send(tea.MouseClickMsg{X: x, Y: y, Button: tea.MouseLeft}) }
		click(22, 2)
		s.shows("WHAT CHANGED")
		click(2, 2)
		s.shows("PROGRESS")
		click(10, 6)
		s.hides("Payload")
		click(10, 6)
		s.shows("Payload", taskID(3))
	})
}

func TestACopiedSignatureTellsForHowLongItIsValid(t *testing.T) {
	d := event(1, "task.progress", 0, "proxy=queued") // signed at midnight
	onScreen(t, 120, 24, []model.Delivery{d}, func(s *terminal) {
		s.wait(time.Minute)
		s.press("c")
		s.shows("its signature is valid for another 4m")
		s.wait(10 * time.Minute)
		s.press("c")
		s.shows("its signature expired 6m")
	})
}

func TestTheHeaderSaysThatTheAPIFailsBesideATunnelAndAlone(t *testing.T) {
	for _, receiver := range []string{"http://127.0.0.1:8787/webhooks/aspect", ""} {
		fails := []string{"Aspect's API"}
		onScreen(t, 80, 24, nil, func(s *terminal) {
			s.status.Add(model.Status{At: midnight, Tunnel: &model.Tunnel{
				State: model.TunnelConnected, PublicURL: "https://knoll.example/webhooks/aspect", Probe: &model.Probe{OK: true},
			}})
			s.wait(time.Second)
			first := func() string { return strings.SplitN(s.frame(), "\n", 2)[0] }
			if got := first(); !strings.Contains(got, draw.GlyphDown) || !strings.Contains(got, "Aspect's API") && !strings.Contains(got, "401") {
				t.Errorf("the header is %q", got)
			}
			fails = nil
			s.wait(time.Second)
			if got := first(); strings.Contains(got, draw.GlyphDown) || strings.Contains(got, "fails") {
				t.Errorf("when it works again the header is %q", got)
			}
		}, func(o *options) {
			o.Receiver = receiver
			o.Sources = func() []string { return []string{"401 Unauthorized"} }
			o.Failing = func() []string { return fails }
		})
	}
}
