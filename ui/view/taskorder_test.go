package view

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/feed/feedtest"
	"aspectop/model"
	"aspectop/ui/screen"
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
	sc := screen.New(t.Context(), screen.Options{Feed: f, Filter: filter})
	orders := make([]taskOrder, sortings)
	for by := range orders {
		orders[by].by = sorting(by)
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
			orders[by].update(&sc.Board, tasks, sc.Keep)
			all := taskOrder{by: sorting(by)}
			all.rebuild(&sc.Board, sc.Keep)
			if !slices.Equal(orders[by].rows, all.rows) {
				t.Fatalf("after %d events, by %s: %v, not %v", total, sorting(by), orders[by].rows, all.rows)
			}
		}
		f.RUnlock()
	}
}
