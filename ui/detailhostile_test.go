package ui

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/render"
)

// hostileTexts are texts that act on a terminal or on the width of a line.
var hostileTexts = map[string]string{
	"escape":    "\x1b[2J\x1b]52;c;ZXZpbA==\a\x1b[31m",
	"link":      "\x1b]8;;http://evil/\x1b\\x\x1b]8;;\x1b\\",
	"dcs":       "\x1bPq#0;2;0;0;0\x1b\\",
	"c1":        "\u009b2J\u0090x\u009c",
	"bidi":      "\u202egnp.exe\u2066\u200f",
	"joiners":   "👩\u200d💻👍🏽\u26a0\ufe0f1\ufe0f\u20e3🇩🇪",
	"combining": "z" + strings.Repeat("\u0301\u0489", 500),
	"wide":      strings.Repeat("界", 300),
	"jamo":      strings.Repeat("\u1100", 50) + strings.Repeat("\u1161", 50),
	"indic":     strings.Repeat("क्", 200),
	"lines":     "a\nb\rc\td\ve\u2028f",
	"broken":    "\xff\xc3\x28\xe2\x82",
	"long":      strings.Repeat("long", 20_000), // a dozen times: the greatest body that is taken
}

// hostileTask is a delivery with the text in every field that it has.
func hostileTask(text string) model.Delivery {
	q := func(s string) string {
		b, err := json.Marshal(s)
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	name, tail := q(text), q("x"+text)
	body := fmt.Sprintf(`{"timestamp":"2000-01-01T00:00:01Z","user_id":%s,"event_id":%s,"event_type":%s,"data":{"task":{"id":%s,"asset_id":%s,
		"features":{%s:{"state":%s},"proxy":{"state":%s},"visual":{"state":"failed"},%s:{"state":"queued"}},"user_id":%s,
		"created":"2000-01-01T00:00:00Z","updated":"2000-01-01T00:00:01Z"}},%s:[%s]}`,
		name, name, name, name, name, name, name, name, tail, name, name, name)
	return model.Delivery{
		ID: text, Source: model.Source(text), Secret: text, Received: midnight, Body: []byte(body),
		Header: map[string][]string{text: {text, text}, "Cookie": {text}},
	}
}

// walk looks at every pane of what is open, by every means.
func (s *terminal) walk(word string) {
	s.t.Helper()
	look := func() {
		frame := s.frame()
		if i := strings.IndexAny(frame, "\u200b\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufe0f"); i >= 0 {
			s.t.Fatalf("the frame holds a character that changes how text is read: %q", frame[i:i+12])
		}
	}
	for range 4 {
		s.press("tab")
		look()
		s.press("G", "w")
		look()
		s.press("g", "w")
		if s.m.detail.Reader() != nil {
			s.press("/")
			s.m.Update(tea.PasteMsg{Content: word})
			look()
			s.press("enter", "n", "w")
			look()
			s.press("w")
			if s.m.detail.Reader().Searched() {
				s.press("esc")
			}
		}
	}
}

func TestHostileTextInATaskIsHarmless(t *testing.T) {
	for name, text := range hostileTexts {
		for _, size := range [][2]int{{40, 10}, {160, 50}} {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				opened(t, size[0], size[1], []model.Delivery{hostileTask(text)}, []string{"p", "3", "1", "enter"}, func(s *terminal) {
					s.walk(text[:min(len(text), 3)])
				})
			})
		}
	}
}

func TestHostileTextInARequestIsHarmless(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			opened(t, 80, 24, nil, []string{"3", "p"}, func(s *terminal) {
				body := []byte(text)
				s.status.Add(model.Status{At: midnight, Notice: text})
				s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{
					ID: text, Method: text, Path: text, Header: map[string][]string{text: {text}}, Body: body[:min(len(body), 4096)], Size: int64(len(body)),
					Verdict: model.Verdict{Reason: model.Reason(text), Detail: text, Hint: text},
				}})
				s.wait(time.Second)
				s.press("G", "enter")
				s.walk("x")
				s.press("esc", "g", "enter")
				s.walk("x")
			})
		})
	}
}

func TestAnIDOfAMegabyteIsShownInPart(t *testing.T) {
	d := event(1, "task.progress", 0, "proxy=queued")
	d.Body = []byte(strings.Replace(string(d.Body), taskID(1), strings.Repeat("i", 1<<20), 1))
	opened(t, 80, 24, []model.Delivery{d}, []string{"enter"}, func(s *terminal) {
		s.shows("iiiii…", "· proxy")
		s.walk("ii")
	})
}

func TestATaskOfTenThousandFeaturesIsCutShort(t *testing.T) {
	var features []string
	for i := range 10_000 {
		features = append(features, fmt.Sprintf("f%05d=queued", i))
	}
	opened(t, 80, 24, []model.Delivery{event(1, "task.progress", 0, features...)}, []string{"enter"}, func(s *terminal) {
		s.press("G")
		s.frame()
		if n := len(render.Overview(s.m.Screen, s.m.Board.Task(taskID(1)), 80, 20)); n > 3*render.MaxFeatures {
			t.Errorf("the pane has %d lines", n)
		}
	})
}

// BenchmarkTaskPane draws a usual task and one whose every field is a megabyte.
func BenchmarkTaskPane(b *testing.B) {
	for name, d := range map[string]model.Delivery{"usual": oneTask()[0], "megabytes": hostileTask(strings.Repeat("long", 1<<18))} {
		b.Run(name, func(b *testing.B) {
			m := shown(folded(b, []model.Delivery{d}), "1")
			m.Update(keyPress("enter"))
			for b.Loop() {
				m.detail.Draw(m.Screen, 120, 30)
			}
		})
	}
}
