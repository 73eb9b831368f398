package ui

import (
	"testing"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
)

func TestTheChartSpansAllThatIsTold(t *testing.T) {
	opened(t, 100, 30, []model.Delivery{
		event(1, "task.progress", 3*time.Second, "proxy=queued", "visual=queued"),
		event(1, "task.completed", 8*time.Second, "proxy=completed", "visual=completed"),
	}, []string{"enter"}, func(s *terminal) {
		chart := func() *draw.Gantt { return &render.StoryOf(s.m.Screen, s.m.Board.Task(taskID(1))).Gantt }
		if from, to := chart().From.Sub(midnight), chart().To.Sub(midnight); from != 3*time.Second || to != 8*time.Second {
			t.Errorf("the chart spans %v to %v", from, to)
		}
		s.deliver(event(1, "task.progress", 9*time.Second, "proxy=completed", "visual=processing"))
		if to := chart().To; !to.Equal(s.m.At) {
			t.Errorf("the chart of an active task ends at %v, not now", to.Sub(midnight))
		}
	})
}

func TestAnEndedTaskWorksOnOnlyIfItsFeaturesEndedIt(t *testing.T) {
	begun := event(1, "task.progress", 0, "proxy=processing", "visual=processing")
	for typ, want := range map[string]string{"task.progress": "processing 20s", "task.failed": "processing 5s"} {
		failed := event(1, typ, 5*time.Second, "proxy=failed", "visual=processing")
		opened(t, 80, 24, []model.Delivery{begun, failed}, []string{"enter"}, func(s *terminal) { s.shows("✗ failed", want) })
	}
}

func TestAClockAheadOfOursNeitherBreaksNorHides(t *testing.T) {
	opened(t, 80, 24, []model.Delivery{event(1, "task.progress", time.Hour, "proxy=processing")}, []string{"enter"}, func(s *terminal) {
		s.shows("in 59m40", "▸ proxy", "processing 0s", "█")
	})
}

func TestATaskThatTellsNoTimeHasNoChart(t *testing.T) {
	d := event(1, "task.progress", 0)
	d.Body = []byte(`{"event_type":"task.progress","data":{"task":{"id":"t","features":{"proxy":{"state":"processing"}}}}}`)
	opened(t, 80, 24, []model.Delivery{d}, []string{"enter"}, func(s *terminal) {
		s.shows("▸ proxy", "unknown")
		s.hides("█", "0:00 ")
	})
}
