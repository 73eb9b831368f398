package ui

import (
	"fmt"
	"testing"
	"time"

	"aspectop/model"
)

// crowd is a model that shows n tasks in all states, with a short history each.
func crowd(tb testing.TB, n int, key string) *Model {
	tb.Helper()
	var history []model.Delivery
	states := []string{"queued", "processing", "completed", "failed", "cancelled", "processing", "completed"}
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
			history = append(history, event(i, "task.progress", time.Duration(i%1000+step*(5+i%9))*time.Second, features...))
		}
	}
	return shown(folded(tb, history), key)
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

func TestDrawingTheBoardCostsWhatIsVisible(t *testing.T) {
	costs := func(n int) float64 {
		m := crowd(t, n, "2")
		return testing.AllocsPerRun(5, func() {
			m.clean = false
			m.View()
		})
	}
	if few, many := costs(200), costs(4000); many > few*1.1 {
		t.Errorf("a frame of 4000 tasks allocates %.0f times, one of 200 %.0f times", many, few)
	}
}
