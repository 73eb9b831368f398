package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestAStateThatIsAddedToTheTableIsDrawnEverywhere(t *testing.T) {
	old := model.States
	model.States = append(slices.Clone(old),
		model.StateInfo{State: "paused", Meaning: "paused by somebody", Sign: "‖", ASCII: '|', Letter: "p", Order: 2, Role: model.RoleWaiting},
		model.StateInfo{State: "expired", Meaning: "expired", Sign: "†", ASCII: 'T', Letter: "e", Order: 3, Terminal: true, Role: model.RoleStopped})
	t.Cleanup(func() { model.States = old })
	history := []model.Delivery{
		event(1, "task.progress", 0, "proxy=queued", "visual=completed"),
		event(1, "task.progress", 2*time.Second, "proxy=paused", "visual=completed"),
		event(2, "task.progress", 3*time.Second, "proxy=expired", "visual=na"),
	}
	onScreen(t, 120, 40, history, func(s *terminal) {
		for view, want := range map[string][]string{
			"1": {"‖ paused", "† expired", "‖1 paused", "†1 expired"}, // the rows and the counters
			"2": {"‖ paused", "† expired"},
			"3": {"queued→paused", "expired"},
			"5": {"‖ paused", "† expired"},
			"?": {"‖ p", "paused by somebody"},
		} {
			s.press(view)
			s.shows(want...)
			s.press("esc")
		}
		s.press("1", "s") // by state
		frame := s.frame()
		if strings.Index(frame, "‖ paused") > strings.Index(frame, "† expired") {
			t.Errorf("what has expired comes before what is paused:\n%s", frame)
		}
		s.deliver(event(3, "task.progress", 4*time.Second, "proxy=paused"))
		if got := s.m.Summary(); !strings.Contains(got, "2 paused, 1 expired") {
			t.Errorf("the summary is %q", got)
		}
	})
}
