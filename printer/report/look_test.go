package report

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestLook(t *testing.T) {
	j, end := played(t, 7, 6*time.Minute)
	f, _ := os.Create("/tmp/show/report.html")
	defer f.Close()
	n, err := Write(t.Context(), f, j, PageOptions{Options: Options{Now: end}})
	t.Log(n, err, len(j))
}

func many(n int) (m memory) {
	states := []string{"queued", "processing", "completed"}
	for i := range n * 10 {
		step := i % 10
		typ := "task.progress"
		if step == 9 {
			typ = "task.completed"
		}
		var features []string
		for f, name := range []string{"proxy", "preview", "visual", "transcription"} {
			state := states[min(2, max(0, step-2*f))]
			if i/10%20 == 0 && step == 9 && f == 3 {
				state, typ = "failed", "task.failed"
			}
			features = append(features, name, state)
		}
		d := told(typ, fmt.Sprintf("2e1c7e42-0000-4000-8000-%012d", i/10), i, features...)
		d.ID = fmt.Sprintf("msg_%027d", i)
		d.Seq = int64(i + 1)
		d.Message, d.Attempt = d.Seq, 1
		m = append(m, d)
	}
	return m
}

func TestMany(t *testing.T) {
	j := many(10000)
	start := time.Now()
	f, _ := os.Create("/tmp/show/many.html")
	defer f.Close()
	n, err := Write(t.Context(), f, j, PageOptions{Options: Options{Now: j[len(j)-1].Received}})
	t.Log(n, err, len(j), time.Since(start))
}
