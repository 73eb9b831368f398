package ui

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// loaded is a model on a wide terminal that has folded a history of tasks with
// four events each.
func loaded(b *testing.B, tasks int) (*Model, []arrival) {
	b.Helper()
	var arrivals []arrival
	for n := range tasks {
		for step, state := range []string{"queued", "processing", "processing", "completed"} {
			d := event(n, "task.progress", time.Duration(n*10+step)*time.Millisecond,
				"proxy="+state, "preview="+state, "visual=queued", "transcription=processing")
			d.Seq = int64(len(arrivals) + 1)
			d.Message = d.Seq
			arrivals = append(arrivals, arrival{Event: model.Decode(&d), attempt: 1, secret: "default"})
		}
	}
	at := midnight.Add(time.Hour)
	m := New(context.Background(), Options{
		Journal: &memory{}, Now: func() time.Time { return at }, Receiver: "http://127.0.0.1:8787/webhooks/aspect", Theme: "dark",
	})
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	m.seen, m.first = int64(len(arrivals)), 1
	for i := 0; i < len(arrivals); i += batch {
		m.fold(arrivals[i:min(i+batch, len(arrivals))])
	}
	m.loading, m.oldest = false, 1
	m.arrange()
	return m, arrivals
}

// ratio reports how much more an operation costs with 100,000 tasks than with
// 100: near 1 where the cost is that of what is visible.
func ratio(b *testing.B, run func(b *testing.B, m *Model, arrivals []arrival)) {
	var few float64
	for _, tasks := range []int{100, 100_000} {
		m, arrivals := loaded(b, tasks)
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) {
			run(b, m, arrivals)
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
	ratio(b, func(b *testing.B, m *Model, _ []arrival) {
		m.view = viewTasks
		for b.Loop() {
			m.clean = false
			m.View()
		}
	})
}

func BenchmarkFrameOfEvents(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model, arrivals []arrival) {
		m.view = viewEvents
		m.arrange()
		m.log.cache(m, arrivals[len(arrivals)-200:])
		for b.Loop() {
			m.clean = false
			m.View()
		}
	})
}

func BenchmarkKeyDown(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model, _ []arrival) {
		for b.Loop() {
			m.Update(keyPress("j"))
			m.View()
		}
	})
}

// BenchmarkBatchOf330 is a frame's worth of a flood of 10,000 events a second.
func BenchmarkBatchOf330(b *testing.B) {
	ratio(b, func(b *testing.B, m *Model, arrivals []arrival) {
		fresh := make([]arrival, 330)
		for b.Loop() {
			b.StopTimer()
			for i := range fresh {
				fresh[i] = arrivals[(i*97)%len(arrivals)]
				m.seen++
				fresh[i].Seq, fresh[i].Message = m.seen, m.seen
				fresh[i].Received = midnight.Add(time.Hour)
			}
			b.StartTimer()
			m.Update(arrivedMsg{arrivals: fresh})
			m.View()
		}
	})
}

// BenchmarkFilter is one keystroke in the filter.
func BenchmarkFilter(b *testing.B) {
	for _, text := range []string{"state:processing", "visual:queued", "2e1c"} {
		b.Run(text, func(b *testing.B) {
			m, _ := loaded(b, 100_000)
			m.filter.filter, _ = model.ParseFilter(text)
			for b.Loop() {
				m.tell(change{filter: true})
			}
		})
	}
}

// BenchmarkHistory folds history as it is read from the journal, newest first.
func BenchmarkHistory(b *testing.B) {
	_, arrivals := loaded(b, 50_000)
	for b.Loop() {
		m := New(context.Background(), Options{Journal: &memory{}, Theme: "dark"})
		m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
		m.seen, m.first, m.oldest = int64(len(arrivals)), 1, int64(len(arrivals))+1
		for to := len(arrivals); to > 0; to -= batch {
			m.Update(historyMsg{arrivals: arrivals[max(0, to-batch):to]})
			m.View()
		}
	}
	b.ReportMetric(float64(len(arrivals))*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
