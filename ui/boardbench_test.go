package ui

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// crowd is a model that shows n tasks in all states, with a short history each.
func crowd(tb testing.TB, n int, key string) *Model {
	tb.Helper()
	m := New(context.Background(), Options{
		Journal: &memory{}, Theme: "dark", Now: func() time.Time { return midnight.Add(time.Hour) },
	})
	states := []string{"queued", "processing", "completed", "failed", "cancelled", "processing", "completed"}
	seq := int64(0)
	for i := range n {
		for step := range 4 {
			features := make([]string, 4)
			for j, name := range []string{"proxy", "preview", "visual", "transcription"} {
				state := states[min(step, i%len(states))]
				if step == 3 {
					state = states[(i+j)%len(states)]
				}
				features[j] = name + "=" + state
			}
			d := event(i, "task.progress", time.Duration(i%1000+step*(5+i%9))*time.Second, features...)
			seq++
			d.Seq, d.Message = seq, seq
			e := model.Decode(&d)
			m.board.Fold(&e)
		}
	}
	m.board.TakeChanged(func(*model.Task) {})
	m.loading = false
	m.at = midnight.Add(time.Hour)
	m.tell(change{filter: true})
	m.Update(tea.WindowSizeMsg{Width: 200, Height: 50})
	m.Update(keyPress(key))
	return m
}

func BenchmarkDrawBoard(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := crowd(b, n, "2")
			for b.Loop() {
				m.clean = false
				m.View()
			}
		})
	}
}

// What a key costs on the board, with drawing what it leads to.
func BenchmarkMoveOnBoard(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := crowd(b, n, "2")
			for i := 0; b.Loop(); i++ {
				m.Update(keyPress([]string{"down", "right", "down", "up"}[i%4]))
				m.View()
			}
		})
	}
}

// One step of the statistics over 100,000 tasks, without a filter and with one
// that passes all of them.
func BenchmarkStatsStep(b *testing.B) {
	for _, filter := range []string{"", "-nosuchthing"} {
		b.Run("filter="+filter, func(b *testing.B) {
			m := crowd(b, 100_000, "5")
			f, err := model.ParseFilter(filter)
			if err != nil {
				b.Fatal(err)
			}
			m.filter.filter = f
			m.board.Stats()
			k, steps := newWalk(m), 0
			for b.Loop() {
				if steps++; k.step(m) {
					k = newWalk(m)
				}
			}
		})
	}
}
