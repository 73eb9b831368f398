package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestMessagesAreJoinedWithWhatArrived(t *testing.T) {
	api := aspectSent()
	api.send("msg_earlier", "task.progress", -time.Hour)
	api.send("msg_refused", "task.progress", 25*time.Second)
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.status.Add(model.Status{At: midnight.Add(25 * time.Second), Rejected: &model.Rejected{
			ID: "msg_refused", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)"},
		}})
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.shows("14 messages, 1 not received here, 1 rejected here")
		for id, want := range map[string]string{
			"msg_lost": "not received here", "msg_refused": "rejected here", "msg_earlier": "not in journal",
		} {
			if line := s.lineWith(id); !strings.Contains(line, want) {
				t.Errorf("of %s the list says %q", id, line)
			}
		}
		s.shows("#6 verified")
		s.press("enter") // the refused one is the newest
		s.wait(time.Second)
		s.shows("Payload", "rejected")
		s.press("esc", "j", "enter")
		s.wait(time.Second)
		s.shows("#11", taskID(5))
		s.press("esc", "n")
		s.wait(time.Second)
		s.shows("502", "pending", "https://knoll.example/webhooks/aspect")
		s.press("P")
		s.hides("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
		s.press("right")
		s.hides("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
		s.shows("message msg_lost", "atmpt_1")
		s.press("P")
		s.shows("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
	}, withKey(api))
}

// lineWith is the line of the list that holds the text.
func (s *terminal) lineWith(text string) string {
	for line := range strings.Lines(s.frame()) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestAMessageIsMissedOnlyWhenItHadTimeToCome(t *testing.T) {
	api := &standIn{}
	onScreen(t, 120, 30, nil, func(s *terminal) {
		s.wait(20 * time.Second)
		api.send("msg_lost", "task.progress", 20*time.Second)
		s.press("4")
		s.wait(5 * time.Second)
		s.shows("on its way")
		s.hides("not received here")
		s.wait(6 * time.Second)
		s.shows("not received here")
		late := event(1, "task.progress", 31*time.Second, "proxy=queued")
		late.ID = "msg_lost"
		s.deliver(late)
		s.shows("#1 verified")
		s.hides("not received here")
	}, withKey(api))
}

func TestAJournalThatReceivesNothingMissesNothing(t *testing.T) {
	api := aspectSent()
	onScreen(t, 120, 30, nil, func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.shows("not in journal")
		s.hides("not received here")
	}, withKey(api), func(o *options) { o.Receiver = "" })
}

func TestARepeatLeadsToItsMessage(t *testing.T) {
	first := event(1, "task.progress", 0, "proxy=queued")
	again := first
	again.Message, again.Attempt, again.Body = 1, 2, nil
	again.Received = midnight.Add(time.Minute)
	api := &standIn{}
	api.send(first.ID, "task.progress", -time.Second)
	onScreen(t, 120, 30, []model.Delivery{first, again}, func(s *terminal) {
		s.press("4")
		s.wait(time.Second)
		s.shows("#1 verified", "received at 00:00:00")
	}, withKey(api))
}
