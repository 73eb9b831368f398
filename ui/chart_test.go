package ui

import (
	"testing"
	"time"

	"aspectop/model"
)

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

func TestATaskThatTellsNoTimeIsDrawnFromItsReceipt(t *testing.T) {
	d := event(1, "task.progress", 0)
	d.Body = []byte(`{"event_type":"task.progress","data":{"task":{"id":"t","features":{"proxy":{"state":"processing"}}}}}`)
	opened(t, 80, 24, []model.Delivery{d}, []string{"enter"}, func(s *terminal) {
		s.shows("▸ proxy", "unknown", "█ processing 20s █│")
	})
}
