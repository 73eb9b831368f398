package ui

import (
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

func TestHostileTextIsHarmlessInEveryView(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			for _, size := range [][2]int{{40, 10}, {160, 40}} {
				onScreen(t, size[0], size[1], append(uploads(), hostileTask(text)), func(s *terminal) {
					s.status.Add(model.Status{At: midnight, Notice: text})
					s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{ID: text, Path: text, Method: text, Verdict: model.Verdict{
						Reason: model.NoMatch, Detail: text, Hint: text}}})
					s.status.Add(model.Status{At: midnight, Forward: &model.Forward{Seq: 1, To: text, Error: text, Hint: text}})
					s.wait(time.Second)
					for _, key := range []string{"1", "s", "2", "3", "g", "4", "5"} {
						s.press(key) // every frame is checked as it is drawn
					}
					s.status.Add(model.Status{At: midnight, Tunnel: &model.Tunnel{State: model.TunnelConnected, PublicURL: text, Detail: text,
						Probe: &model.Probe{Detail: text}}})
					s.wait(time.Second)
					s.press("3", "/")
					s.send(tea.PasteMsg{Content: text})
					s.press("enter", "1", "3")
				}, func(o *options) {
					o.Receiver, o.JournalPath, o.Secrets, o.Try = text, text, []string{text, text}, text
					o.Remarks = []string{text}
				})
			}
		})
	}
}
