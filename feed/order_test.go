package feed_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/feed/feedtest"
	"aspectop/model"
)

func TestMovingWhatChangedGivesTheSameOrderAsSortingAll(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	states := []string{"queued", "processing", "completed", "failed", "cancelled"}
	filter, err := model.ParseFilter("-state:cancelled")
	if err != nil {
		t.Fatal(err)
	}
	j := &feedtest.Memory{}
	f := feed.New(feed.Options{Journal: j})
	go f.Run(t.Context())
	keep := func(task *model.Task) bool { return filter.MatchTask(task, "", time.Time{}) }
	orders := make([]feed.Order, feed.Sortings)
	for by := range orders {
		orders[by].By = feed.Sorting(by)
	}
	var cursor feed.Cursor
	for total := 0; total < 3000; {
		n := 1 + r.IntN(100)
		total += n
		for range n {
			state := states[r.IntN(len(states))]
			j.Append(feedtest.Event(r.IntN(300), "task.progress", time.Duration(r.IntN(5000))*time.Second, "proxy="+state, "visual="+state))
		}
		for {
			version := f.Version()
			f.RLock()
			seen := f.Seen()
			f.RUnlock()
			if seen == int64(total) {
				break
			}
			if err := f.Wait(t.Context(), version); err != nil {
				t.Fatal(err)
			}
		}
		f.RLock()
		changed, _, next := f.Since(cursor)
		cursor = next
		var tasks []int32
		for _, c := range changed {
			tasks = append(tasks, c.Task)
		}
		slices.Sort(tasks)
		tasks = slices.Compact(tasks)
		for by := range orders {
			orders[by].Update(f.Board(), tasks, keep)
			all := feed.Order{By: feed.Sorting(by)}
			all.Rebuild(f.Board(), keep)
			if !slices.Equal(orders[by].Rows(), all.Rows()) {
				t.Fatalf("after %d events, by %s: %v, not %v", total, feed.Sorting(by), orders[by].Rows(), all.Rows())
			}
		}
		f.RUnlock()
	}
}

// BenchmarkOrderUpdate moves the tasks that a frame's worth of deliveries changed.
func BenchmarkOrderUpdate(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			board := model.NewBoard()
			seq := int64(0)
			fold := func(task int, at time.Duration) {
				d := feedtest.Event(task, "task.progress", at, "proxy=processing")
				seq++
				d.Seq, d.Message = seq, seq
				e := model.Decode(&d)
				board.Fold(&e)
			}
			for i := range n {
				fold(i, time.Duration(i)*time.Millisecond)
			}
			keep := func(*model.Task) bool { return true }
			var o feed.Order
			o.Rebuild(board, keep)
			changed := make([]int32, 20)
			for b.Loop() {
				b.StopTimer()
				for i := range changed {
					changed[i] = int32((int(seq)*7919 + i*n/20) % n)
					fold(int(changed[i]), time.Hour+time.Duration(seq)*time.Millisecond)
				}
				slices.Sort(changed)
				b.StartTimer()
				o.Update(board, changed, keep)
			}
		})
	}
}
