package model

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"
)

// exact is the nearest-rank quantile of sorted durations.
func exact(sorted []time.Duration, q float64) time.Duration {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func TestQuantilesAreWithinTheStatedError(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	draw := map[string]func() time.Duration{
		"nanoseconds":     func() time.Duration { return time.Duration(r.IntN(200)) },
		"seconds":         func() time.Duration { return time.Duration(r.Int64N(int64(90 * time.Second))) },
		"of every size":   func() time.Duration { return time.Duration(math.Exp(r.Float64() * 43)) },
		"one for all":     func() time.Duration { return 12345678 },
		"the longest":     func() time.Duration { return math.MaxInt64 - time.Duration(r.IntN(3)) },
		"mostly nothing":  func() time.Duration { return time.Duration(r.IntN(2)*r.IntN(2)) * time.Second },
		"powers of two":   func() time.Duration { return 1 << r.IntN(63) },
		"just below them": func() time.Duration { return 1<<r.IntN(63) - 1 },
	}
	for name, next := range draw {
		for _, n := range []int{1, 2, 3, 10, 999} {
			var d Durations
			lengths := make([]time.Duration, n)
			for i := range lengths {
				lengths[i] = next()
				d.add(lengths[i], 1)
			}
			slices.Sort(lengths)
			for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.95, 1} {
				got, ok := d.Quantile(q)
				want := exact(lengths, q)
				if off := math.Abs(float64(got - want)); !ok || off > 0.016*float64(want) {
					t.Errorf("%s, %d of them: quantile %v is %v, want %v", name, n, q, got, want)
				}
			}
			if d.Count() != n {
				t.Errorf("%s: %d durations, want %d", name, d.Count(), n)
			}
		}
	}
}

func TestNoDurationsHaveNoQuantile(t *testing.T) {
	var d Durations
	if got, ok := d.Quantile(0.5); ok || got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	d.add(time.Second, 1)
	d.add(time.Second, -1)
	if got, ok := d.Quantile(0.5); ok || got != 0 {
		t.Errorf("the median of what was taken out is %v", got)
	}
	d.add(-time.Second, 1)
	if got, ok := d.Quantile(0.5); !ok || got != 0 {
		t.Errorf("a negative duration counts as %v, want 0", got)
	}
}

func TestDurationsTakeBoundedMemory(t *testing.T) {
	var d Durations
	d.add(math.MaxInt64, 1)
	if size := 4 * cap(d.buckets); size > 8<<10 {
		t.Errorf("a histogram takes %d bytes, want at most 8 KiB", size)
	}
}

// statsBoard has four tasks with known stays.
func statsBoard() *Board {
	var j journal
	for _, m := range []struct{ task, updated, features string }{
		{"a", "12:00:00", "visual:queued proxy:na scene_detect:processing"},
		{"a", "12:00:10", "visual:processing proxy:na scene_detect:failed"},
		{"a", "12:01:10", "visual:completed proxy:na scene_detect:failed"},
		{"b", "12:00:00", "visual:queued"},
		{"b", "12:00:20", "visual:warming"},
		{"b", "12:00:30", "visual:processing"},
		{"b", "12:02:20", "visual:failed"},
		{"b", "12:03:20", "visual:queued"},
		{"b", "12:03:50", "visual:processing"},
		{"c", "12:00:00", "visual:queued embedding:paused"},
		{"d", "12:00:00", "visual:completed"},
	} {
		j.arrive("task.progress", m.task, m.updated, m.features)
	}
	return j.board()
}

func TestStatisticsPerFeature(t *testing.T) {
	stats := statsBoard().Stats()
	if got := stats.Features(); !slices.Equal(got, []string{"proxy", "visual", "embedding", "scene_detect"}) {
		t.Errorf("features are %v", got)
	}
	visual := stats.Feature("visual")
	in := map[State]int{}
	for _, s := range StateNames() {
		in[s] = visual.In(s)
	}
	if want := map[State]int{Queued: 1, Processing: 1, Completed: 2, Failed: 0, Cancelled: 0, NA: 0}; !reflect.DeepEqual(in, want) || visual.Tasks() != 4 {
		t.Errorf("visual is in %v in %d tasks, want %v in 4", in, visual.Tasks(), want)
	}
	for _, c := range []struct {
		name  string
		stays *Durations
		want  []time.Duration // what is unknown counts as processing, together with what is known
	}{
		{"queued", visual.Queued(), []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second}},
		{"processing", visual.Processing(), []time.Duration{60 * time.Second, 120 * time.Second}},
		{"processing, internal", stats.Feature("scene_detect").Processing(), []time.Duration{10 * time.Second}},
		{"queued, never", stats.Feature("proxy").Queued(), nil},
	} {
		if c.stays.Count() != len(c.want) {
			t.Errorf("%s: %d stays have ended, want %v", c.name, c.stays.Count(), c.want)
			continue
		}
		for i, want := range c.want {
			got, _ := c.stays.Quantile((float64(i) + 0.5) / float64(len(c.want)))
			if math.Abs(float64(got-want)) > 0.016*float64(want) {
				t.Errorf("%s: stay %d is %v, want %v", c.name, i, got, want)
			}
		}
	}
	if got := stats.Feature("embedding").In(Processing); got != 1 {
		t.Errorf("%d in an unknown state count as processing, want 1", got)
	}
	if stats.Feature("transcription") != nil {
		t.Error("a feature that no task has has statistics")
	}
}

func TestTheSuccessRateIsOfThoseThatCompletedOrFailed(t *testing.T) {
	var j journal
	for task, state := range map[string]string{"a": "completed", "b": "completed", "c": "completed", "d": "failed", "e": "na", "f": "queued", "g": "cancelled"} {
		j.arrive("task.progress", task, "12:00:00", "visual:"+state+" proxy:na")
	}
	stats := j.board().Stats()
	if rate, ok := stats.Feature("visual").SuccessRate(); !ok || rate != 0.75 {
		t.Errorf("the rate is %v, %v; want 0.75", rate, ok)
	}
	if rate, ok := stats.Feature("proxy").SuccessRate(); ok {
		t.Errorf("the rate of none is %v", rate)
	}
}

func TestRemovingATaskUndoesAddingIt(t *testing.T) {
	board := statsBoard()
	rest, all := NewStats(), NewStats()
	for i := range board.Len() {
		all.Add(board.At(i))
		if i != 1 {
			rest.Add(board.At(i))
		}
	}
	all.Remove(board.At(1))
	if !reflect.DeepEqual(all.Features(), rest.Features()) {
		t.Errorf("features are %v, want %v", all.Features(), rest.Features())
	}
	for _, name := range rest.Features() {
		got, want := all.Feature(name), rest.Feature(name)
		if !slices.Equal(got.in, want.in) || got.queued.count != want.queued.count || got.processing.count != want.processing.count {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		for _, q := range []float64{0, 0.5, 1} {
			for i, d := range []*Durations{got.Queued(), got.Processing()} {
				without, _ := []*Durations{want.Queued(), want.Processing()}[i].Quantile(q)
				if with, _ := d.Quantile(q); with != without {
					t.Errorf("%s: quantile %v is %v, want %v", name, q, with, without)
				}
			}
		}
	}
	for i := range board.Len() {
		if i != 1 {
			all.Remove(board.At(i))
		}
	}
	if got := all.Features(); len(got) != 0 {
		t.Errorf("after all tasks are taken out, there are still %v", got)
	}
}

func TestStatisticsFollowTheBoard(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:queued old:queued")
	b := j.board()
	stats := b.Stats()
	if stats.Feature("visual").In(Queued) != 1 || stats.Feature("old").Tasks() != 1 {
		t.Error("the first message is not counted")
	}
	j.arrive("task.progress", "t", "12:00:05", "visual:processing")
	e := Decode(&j.deliveries[1])
	b.Fold(&e)
	stats = b.Stats()
	visual := stats.Feature("visual")
	if visual.In(Queued) != 0 || visual.In(Processing) != 1 || visual.Queued().Count() != 1 {
		t.Errorf("after the second message: %+v", visual)
	}
	if stats.Feature("old") != nil {
		t.Error("a feature that vanished is still counted")
	}
}
