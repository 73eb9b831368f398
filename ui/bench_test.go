package ui

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/screen"
)

// loaded is a model on a wide terminal that shows a history of tasks with four
// events each.
func loaded(b *testing.B, tasks int) *Model {
	b.Helper()
	var history []model.Delivery
	for n := range tasks {
		for step, state := range []string{"queued", "processing", "processing", "completed"} {
			history = append(history, event(n, "task.progress", time.Duration(n*10+step)*time.Millisecond,
				"proxy="+state, "preview="+state, "visual=queued", "transcription=processing"))
		}
	}
	return shown(folded(b, history), "1")
}

// shown is a model that shows a feed in the view of a key.
func shown(f *feed.Feed, key string) *Model {
	m := New(context.Background(), screen.Options{
		Feed: f, Now: func() time.Time { return midnight.Add(time.Hour) }, Receiver: "http://127.0.0.1:8787/webhooks/aspect", Theme: "dark",
	})
	m.Init()
	m.Update(newsMsg{})
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	m.Update(keyPress(key))
	return m
}

// ratio reports how much more an operation costs with 100,000 tasks than with
// 100: near 1 where the cost is that of what is visible.
func ratio(b *testing.B, run func(b *testing.B, m *Model)) {
	var few float64
	for _, tasks := range []int{100, 100_000} {
		m := loaded(b, tasks)
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			run(b, m)
			each := float64(b.Elapsed()) / float64(b.N)
			if tasks == 100 {
				few = each
			} else {
				b.ReportMetric(each/few, "ratio")
			}
		})
	}
}

func BenchmarkFrameOfTasks(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model) {
		m.view = 0
		for b.Loop() {
			m.clean = false
			m.View()
		}
	})
}

func BenchmarkFrameOfEvents(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model) {
		m.view = slices.Index(Views(), "events")
		m.arrange()
		for b.Loop() {
			m.clean = false
			m.View()
		}
	})
}

func BenchmarkFrameOfTimeline(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model) {
		m.view = slices.Index(Views(), "timeline")
		m.arrange()
		for b.Loop() {
			m.clean = false
			m.arrange()
			m.View()
		}
	})
}

func BenchmarkKeyDown(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model) {
		for b.Loop() {
			m.Update(keyPress("j"))
			m.View()
		}
	})
}

// BenchmarkNewsOf330 shows a frame's worth of a flood of 10,000 events a second.
func BenchmarkNewsOf330(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model) {
		c := screen.Change{Tasks: make([]int32, 100)}
		for b.Loop() {
			for i := range c.Tasks {
				c.Tasks[i] = int32(i * 97 % m.Board.Len())
			}
			m.clean = false
			m.changed(c)
			m.View()
		}
	})
}

// BenchmarkFilter is one keystroke in the filter.
func BenchmarkFilter(b *testing.B) {
	for _, text := range []string{"state:processing", "visual:queued", "2e1c"} {
		b.Run(text, func(b *testing.B) {
			m := loaded(b, 100_000)
			m.Filter.Words, _ = model.ParseFilter(text)
			for b.Loop() {
				m.changed(screen.Change{Filter: true})
			}
		})
	}
}
