package feed_test

import (
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
	keep := func(task *model.Task) bool { return filter.Match(&model.Subject{Task: task}) }
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
