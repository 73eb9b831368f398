package web

import (
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
)

// BenchmarkGather works the page out for 100,000 tasks, of which one in twenty
// failed: so long, once in twenty times as long, the feed is held up while
// somebody looks.
func BenchmarkGather(b *testing.B) {
	var deliveries []model.Delivery
	for i := range 100_000 {
		typ, state := "task.completed", "completed"
		if i%20 == 0 {
			typ, state = "task.failed", "failed"
		}
		deliveries = append(deliveries,
			feedtest.Event(i, "task.progress", time.Duration(i)*time.Second, "proxy=processing", "visual=queued"),
			feedtest.Event(i, typ, time.Duration(i+30)*time.Second, "proxy="+state, "visual=completed"))
	}
	s := &state{Config: Config{Feed: feedtest.Folded(b, deliveries), limits: usualLimits}}
	for b.Loop() {
		s.gather()
	}
}
