package forward

import (
	"fmt"
	"testing"
)

// BenchmarkForward posts to a handler that answers at once.
func BenchmarkForward(b *testing.B) {
	for _, tasks := range []int{1, 100} {
		b.Run(fmt.Sprint(tasks, " tasks"), func(b *testing.B) {
			h := newHandler(b, nil)
			j := newJournal(b)
			forwardFrom(b, j, h.URL).stop()
			for n := range b.N {
				if err := j.Append(b.Context(), message(fmt.Sprint("t", n%tasks), n)); err != nil {
					b.Fatal(err)
				}
			}
			b.ResetTimer()
			forwardFrom(b, j, h.URL).idle()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}
