package ui

import (
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// sizes are the terminals for which frames are kept.
var sizes = [][2]int{{40, 10}, {80, 24}, {120, 30}, {200, 50}}

// page is a state of the screen for which frames are kept at every size.
type page struct {
	name string
	keys []string
}

var pages = []page{
	{"tasks", nil},
	{"events", []string{"3"}},
	{"help", []string{"?"}},
}

func TestFramesOfEveryPageAtEverySize(t *testing.T) {
	for _, p := range pages {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", p.name, size[0], size[1]), func(t *testing.T) {
				onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
					s.status.Add(model.Status{At: midnight.Add(25 * time.Second), Rejected: &model.Rejected{
						ID: "msg_forged", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)"},
					}})
					s.wait(30 * time.Second)
					s.press(p.keys...)
					s.matchesGolden()
				})
			})
		}
	}
}

func TestNoSizeOverflowsOrPanics(t *testing.T) {
	for _, p := range pages {
		t.Run(p.name, func(t *testing.T) {
			onScreen(t, 80, 24, uploads(), func(s *terminal) {
				s.wait(30 * time.Second)
				s.press(p.keys...)
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
