package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestFramesOfMessages(t *testing.T) {
	for name, api := range map[string]*standIn{
		"none": nil, "sent": aspectSent(), "empty": {},
		"error": {err: errors.New("GET /webhooks/messages: 401 Unauthorized (Aspect does not know this API key: check ASPECT_API_KEY)")},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
					s.wait(40 * time.Second)
					s.press("4")
					s.wait(time.Second)
					s.press("j")
					s.wait(5 * time.Second)
					s.matchesGolden()
				}, func(o *options) {
					if api != nil {
						o.API = api
					}
				})
			})
		}
	}
}

func TestDeliveriesFitEverySize(t *testing.T) {
	api := aspectSent()
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("right")
		s.fitsEverySize()
		api.set(func(a *standIn) { a.err = errors.New(strings.Repeat("long words ", 50)) })
		s.press("esc", "R")
		s.wait(time.Second)
		s.shows("long words")
		s.fitsEverySize()
	}, withKey(api))
}

func TestWithoutAKeyDeliveriesSayWhatTheyNeed(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		s.press("4")
		s.shows("ASPECT_API_KEY", "3 shows every delivery")
		s.press("down", "enter", "y", "f", "s", "n", "R", "right")
		s.hides(taskID(1)[:8])
		s.press("3")
		s.shows(taskID(1)[:8])
	})
}

func TestTheListKeepsItsPlaceWhenMessagesCome(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("4")
		s.wait(time.Second)
		s.press("j", "j")
		s.shows("no longer following")
		before := s.selectedLine()
		api.set(func(a *standIn) { a.send("msg_new", "task.progress", 50*time.Second) })
		s.wait(35 * time.Second)
		s.shows("msg_new")
		if now := s.selectedLine(); firstWords(now) != firstWords(before) {
			t.Errorf("the selection moved from %s to %s", before, now)
		}
		s.press("f")
		s.wait(time.Second)
		if now := s.selectedLine(); !strings.Contains(now, "msg_new") {
			t.Errorf("f went to %s", now)
		}
	}, withKey(api))
}

func TestDeliveriesObeyTheFilterAndTheFailures(t *testing.T) {
	api := aspectSent()
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("!")
		s.shows("failures only", "1 shown", "msg_lost")
		s.hides("#11 verified")
		s.press("!", "/")
		s.write("type:task.failed")
		s.shows("1 shown", "#8 verified")
		s.press("esc", "/")
		s.write("task:2e1c7e03")
		s.shows("2 shown", "#5 verified", "#9 verified")
		s.press("esc", "/")
		s.write("nothing")
		s.shows("0 shown", "Nothing matches the filter")
		s.press("enter", "enter", "right", "y", "r", "j", "n", "G")
	}, withKey(api))
}

func TestTheIDOfASentMessageCanBeCopied(t *testing.T) {
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("n", "y")
		s.shows("sent to the terminal: message id msg_lost")
		s.press("Y")
		s.shows("never arrived here: nothing to copy")
	}, withKey(aspectSent()))
}

func TestHostileTextFromAspectIsHarmless(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(map[string]any{text: text, "list": []string{text}})
			if err != nil {
				t.Fatal(err)
			}
			api := &standIn{
				messages: []model.SentMessage{
					{ID: text, EventType: text, EventID: text, Status: text, Time: midnight, Raw: raw},
					{ID: "msg_2", Raw: []byte("{broken " + text)},
				},
				attempts: map[string][]model.SentAttempt{text: {{ID: text, URL: text, EndpointID: text, Status: text, ResponseCode: 1 << 40, Raw: raw}}},
			}
			for _, size := range [][2]int{{40, 10}, {160, 50}} {
				onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
					s.press("4")
					s.wait(time.Second)
					s.press("y", "right", "G", "w", "g", "P", "/")
					s.write("x")
					s.press("enter", "n", "esc", "esc", "j")
					api.set(func(a *standIn) { a.err = errors.New(text) })
					s.press("R")
					s.wait(2 * time.Second)
					s.press("right", "G")
					api.set(func(a *standIn) { a.err = nil })
				}, withKey(api))
			}
		})
	}
}
