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
	onScreen(t, 120, 60, history, func(s *terminal) {
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

func TestStatesAreToldApartByShapeAndByLetterWithoutColour(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range append(slices.Clone(model.States), model.UnknownState) {
		if seen[s.Sign] || s.Sign == "×" || s.Sign == "✗" && s.State != model.Failed {
			t.Errorf("%s is shown as %s, like another state", s.State, s.Sign)
		}
		seen[s.Sign] = true
	}
	for _, c := range []struct {
		theme string
		ascii bool
		want  string
	}{{"dark", false, "✓ 3s "}, {"mono", false, "✓c 3s "}, {"dark", true, "+c 3s "}, {"mono", false, "▸p1m05 "}} {
		history := append(uploads(), event(6, "task.progress", -65*time.Second, "visual=processing"))
		onScreen(t, 80, 24, history, func(s *terminal) { s.shows(c.want) }, func(o *options) { o.Theme, o.ASCII = c.theme, c.ascii })
	}
}

func TestOnlyWhatIsNotVerifiedHasAVerdict(t *testing.T) {
	again := uploads()[0]
	again.Message, again.Attempt = 1, 2
	for _, w := range []int{80, 120, 200} {
		opened(t, w, 24, append(uploads(), again), []string{"3"}, func(s *terminal) {
			s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches"}}})
			s.wait(2 * soon)
			s.shows(" duplicate ", " rejected ", "verified)")
			if l := line(s, "task.completed"); strings.Contains(l, "verified") {
				t.Errorf("a verified event says so: %s", l)
			}
		})
	}
	opened(t, 40, 10, uploads(), []string{"3"}, func(s *terminal) { s.shows(taskID(5)[:8]) })
}

func TestTheColumnThatSortsIsMarked(t *testing.T) {
	opened(t, 140, 24, uploads(), nil, func(s *terminal) {
		for _, want := range []string{"LAST▾", "STATE▾", "AGE▾", "TOOK▾"} {
			s.shows(want)
			s.press("s")
		}
	})
}

func TestATaskThatAspectNoLongerKnowsIsGoneAndNotStalled(t *testing.T) {
	history := []model.Delivery{event(1, "task.progress", 0, "proxy=queued"), event(2, "task.progress", 0, "visual=processing")}
	gone := model.Delivery{Source: model.SourceAPI, Received: midnight.Add(time.Second), Body: []byte(
		`{"id":"` + taskID(1) + `","features":{"proxy":{"state":"queued"}},"updated":"2000-01-01T00:00:00Z","gone":true,"timestamp":"2000-01-01T00:00:01Z"}`)}
	opened(t, 120, 30, append(history, gone), nil, func(s *terminal) {
		s.wait(time.Hour)
		s.shows("1 stalled", "· gone", "▸ stalled")
		s.press("g")
		s.shows("ended  no longer known to Aspect", "00:00:00 no longer known to Aspect")
		s.press("/", "is:stalled", "enter")
		s.hides("· gone")
		s.press("esc", "2")
		s.shows("· gone", "gone from Aspect")
		s.press("3")
		s.shows("Aspect no longer knows this task")
	})
}
