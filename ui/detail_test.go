package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// detailPages are the panes of a task that is being worked on; it has an
// internal feature, one that was taken up again, and a message that came late.
var detailPages = []page{
	{"task", []string{"enter"}},
	{"events", []string{"enter", "tab"}},
	{"payload", []string{"enter", "tab", "tab"}},
	{"headers", []string{"enter", "shift+tab"}},
}

func oneTask() []model.Delivery {
	s := time.Second
	return []model.Delivery{
		event(1, "task.progress", 0, "proxy=queued", "preview=queued", "visual=queued", "transcription=queued"),
		event(1, "task.progress", 2400*time.Millisecond, "proxy=processing", "preview=queued", "visual=queued", "transcription=queued"),
		event(1, "task.progress", 9*s, "proxy=completed", "preview=failed", "visual=queued", "transcription=na", "scene_detect=processing"),
		event(1, "task.progress", 5*s, "proxy=processing", "preview=processing", "visual=queued", "transcription=queued"),
		event(1, "task.progress", 14*s, "proxy=completed", "preview=processing", "visual=processing", "transcription=na", "scene_detect=completed"),
	}
}

// opened shows the task and opens it with the keys.
func opened(t *testing.T, w, h int, history []model.Delivery, keys []string, test func(s *terminal), change ...func(*options)) {
	t.Helper()
	onScreen(t, w, h, history, func(s *terminal) {
		s.wait(20 * time.Second)
		s.press(keys...)
		test(s)
	}, change...)
}

func TestFramesOfTheDetail(t *testing.T) {
	for _, p := range detailPages {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", p.name, size[0], size[1]), func(t *testing.T) {
				opened(t, size[0], size[1], oneTask(), p.keys, (*terminal).matchesGolden)
			})
		}
	}
	t.Run("task-ascii-mono-80x24", func(t *testing.T) {
		opened(t, 80, 24, oneTask(), []string{"enter"}, (*terminal).matchesGolden, func(o *options) { o.ASCII, o.Theme = true, "mono" })
	})
}

func TestFramesOfThePreview(t *testing.T) {
	for _, view := range []string{"1", "3"} {
		for _, size := range [][2]int{{120, 30}, {80, 24}, {80, 40}} {
			t.Run(fmt.Sprintf("view%s-%dx%d", view, size[0], size[1]), func(t *testing.T) {
				opened(t, size[0], size[1], oneTask(), []string{view}, (*terminal).matchesGolden)
			})
		}
	}
}

func TestNoSizeOverflowsInTheDetail(t *testing.T) {
	pages := append([]page{{"search", []string{"enter", "tab", "tab", "/", "e", "enter"}}}, detailPages...)
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			opened(t, 80, 24, oneTask(), p.keys, func(s *terminal) {
				for w := 1; w <= 130; w++ {
					for h := 1; h <= 40; h++ {
						s.m.Update(tea.WindowSizeMsg{Width: w, Height: h})
						s.frame()
					}
				}
			})
		})
	}
}

func TestATaskTellsHowItsStateWasFound(t *testing.T) {
	late := append(oneTask(), event(1, "task.completed", 17*time.Second, "proxy=completed", "preview=completed"))
	opened(t, 100, 30, oneTask(), []string{"enter"}, func(s *terminal) {
		s.shows("decided by features in task.progress", "5, 1 late")
	})
	opened(t, 100, 30, late, []string{"enter"}, func(s *terminal) {
		s.shows("decided by task.completed", "took 1m17")
	})
}

func TestTheTaskPaneLivesOn(t *testing.T) {
	opened(t, 100, 30, oneTask(), []string{"enter"}, func(s *terminal) {
		s.hides("2 of 2")
		s.deliver(event(1, "task.completed", 20*time.Second, "proxy=completed", "preview=completed"))
		s.shows("✓ completed", "2 of 2")
	})
}

func TestEventsFollowOnlyFromTheLastOne(t *testing.T) {
	opened(t, 100, 30, oneTask(), []string{"enter", "tab"}, func(s *terminal) {
		s.deliver(event(1, "task.progress", 21*time.Second, "visual=completed"))
		if got := s.m.detail.Selection(s.m.Screen).Row.Seq; got != 6 {
			t.Errorf("event %d is selected, not the newest", got)
		}
		s.press("k")
		s.deliver(event(1, "task.progress", 22*time.Second, "visual=failed"))
		if got := s.m.detail.Selection(s.m.Screen).Row.Seq; got != 5 {
			t.Errorf("event %d is selected, not the one the reader chose", got)
		}
		s.press("G")
		s.deliver(event(1, "task.progress", 23*time.Second, "visual=queued"))
		if got := s.m.detail.Selection(s.m.Screen).Row.Seq; got != 8 {
			t.Errorf("event %d is selected, not the newest", got)
		}
	})
}

func TestAPayloadStaysWhatItIsWhileEventsCome(t *testing.T) {
	opened(t, 100, 40, oneTask(), []string{"enter", "tab", "enter"}, func(s *terminal) {
		s.shows("#5  ", `"state": "na"`)
		s.deliver(event(1, "task.failed", 21*time.Second, "visual=failed"))
		s.shows(`"state": "na"`)
		s.shows("#5, 1 newer")
		s.press("shift+tab", "G", "enter")
		s.shows("#6  ", `"event_type": "task.failed"`)
	})
}

func TestARowOfTheLogOpensWithItsPayload(t *testing.T) {
	opened(t, 100, 40, oneTask(), []string{"3", "g", "enter"}, func(s *terminal) {
		s.shows(" Task ", " Payload ", "#1, 4 newer", `"state": "queued"`)
		s.press("esc")
		s.shows("VERDICT")
	})
}

func TestAPingOpensWithPayloadAndHeadersOnly(t *testing.T) {
	ping := model.Delivery{ID: "msg_ping", Source: model.SourceWebhook, Secret: "default", Received: midnight, Body: []byte(`{"success":true}`)}
	opened(t, 100, 30, []model.Delivery{ping}, []string{"3", "enter"}, func(s *terminal) {
		s.shows(`"success": true`, "16 bytes, JSON")
		s.hides(" Task  ", "Events  Payload")
		s.press("tab")
		s.shows("verified (secret default)", "(no headers)", "duplicates: none")
		s.press("tab")
		s.shows(`"success": true`)
	})
}

func TestARefusedRequestShowsWhatIsHeldAndWhy(t *testing.T) {
	opened(t, 100, 30, nil, []string{"3"}, func(s *terminal) {
		s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{
			ID: "msg_forged", Size: 9000, Body: []byte(`{"cut": "of`), Header: map[string][]string{"Cookie": {"a=1", "b=2"}, "Authorization": {"Bearer x", "Basic am9lOnMzY3JldA=="}},
			Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches", Hint: "the secret looks base64url"},
		}})
		s.status.Add(model.Status{At: midnight, Notice: "answering 503: the disk is full"})
		s.wait(time.Second)
		s.press("g", "enter")
		s.shows(`{"cut": "of`, "the first 11 bytes of 9000", "9000 bytes, text")
		s.press("l")
		s.shows("Cookie: a=1", "Cookie: b=2", "Authorization: Bearer x", "Authorization: Basic (hidden", "rejected, no secret matches", "hint: the secret looks base64url", "no_match")
		s.press("esc", "G", "enter")
		s.shows("answering 503: the disk is full")
	})
}

func TestARepeatShowsTheBodyOfItsMessage(t *testing.T) {
	first := oneTask()[0]
	repeat := first
	repeat.Message, repeat.Attempt, repeat.Body = 1, 2, nil
	opened(t, 100, 50, []model.Delivery{first, repeat}, []string{"3", "G", "enter"}, func(s *terminal) {
		s.shows("#2", `"event_type": "task.progress"`)
		s.press("tab")
		s.shows("attempt: arrival 2 of #1", "1 more delivery of this message")
	})
}

func TestADeliveryThatCannotBeReadIsSaid(t *testing.T) {
	opened(t, 100, 30, oneTask(), []string{"enter", "tab", "k"}, func(s *terminal) {
		s.journal.Cut(1)
		s.press("enter")
		s.shows("Delivery #4 cannot be read: no delivery 4.")
	})
}

func TestPresentationHidesUsersAndPlaces(t *testing.T) {
	d := oneTask()[0]
	d.Header["Host"] = []string{"secret.example.com"}
	d.Body = []byte(strings.Replace(string(d.Body), `"timestamp"`, `"link":"https://example.com/x","timestamp"`, 1))
	opened(t, 120, 40, []model.Delivery{d}, []string{"enter", "tab", "tab", "P"}, func(s *terminal) {
		s.hides("3f5d7e38", "example.com")
		s.press("tab")
		s.shows("Host: (hidden)", "Content-Type: application/json")
		s.press("tab")
		s.shows("user      (hidden)")
		s.press("P", "tab", "tab")
		s.shows("3f5d7e38", "https://example.com/x")
	})
}

func TestSearchFindsAndGoesOn(t *testing.T) {
	opened(t, 80, 24, oneTask(), []string{"enter", "tab", "tab", "/"}, func(s *terminal) {
		s.write("PROXY")
		s.shows("/PROXY", "1 of 1")
		s.press("enter", "esc")
		s.hides("/PROXY")
		s.shows("Payload") // the first esc ends the search, not the detail
		s.press("/")
		s.write("state")
		s.shows("1 of 5")
		s.press("enter", "n", "n")
		s.shows("3 of 5")
		s.press("N", "N", "N")
		s.shows("5 of 5")
		s.press("/")
		s.write("nowhere")
		s.shows("no match")
		s.press("enter")
		s.shows("no match for nowhere")
		s.press("esc", "esc")
		s.shows("STATE")
	})
}

func TestSearchInTheTaskPaneIsTheFilter(t *testing.T) {
	opened(t, 80, 24, oneTask(), []string{"enter", "/"}, func(s *terminal) {
		if !s.m.filterLine.open || s.m.detail != nil {
			t.Error("/ does not open the filter")
		}
	})
}

func TestLongLinesWrapOrAreCut(t *testing.T) {
	d := oneTask()[0]
	d.Body = []byte(`{"word": "` + strings.Repeat("abcdefghi ", 30) + `end"}`)
	opened(t, 60, 24, []model.Delivery{d}, []string{"3", "enter"}, func(s *terminal) {
		s.shows(`end"`)
		s.press("w")
		s.hides(`end"`)
		s.shows("…")
		s.press("w")
		s.shows(`end"`)
	})
}

func TestTextScrolls(t *testing.T) {
	d := oneTask()[0]
	var body strings.Builder
	for i := range 500 {
		fmt.Fprintf(&body, "line %03d\n", i)
	}
	d.Body = []byte(body.String())
	opened(t, 80, 24, []model.Delivery{d}, []string{"3", "enter"}, func(s *terminal) {
		for _, c := range []struct{ key, top string }{
			{"j", "line 001"}, {"j", "line 002"}, {"k", "line 001"}, {"G", "line 481"}, {"pgup", "line 463"},
			{"g", "line 000"}, {"ctrl+d", "line 009"}, {"ctrl+u", "line 000"}, {"pgdown", "line 018"}, {"k", "line 017"},
		} {
			s.press(c.key)
			if got := strings.TrimSpace(strings.Split(s.frame(), "\n")[4]); got != c.top {
				t.Errorf("after %s the first line is %q, want %q", c.key, got, c.top)
			}
		}
	})
}
