package view

import (
	"strings"
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
	"aspectop/ui/screen"
)

// counting is a screen with n tasks and statistics that count those which pass a
// filter that all pass.
func counting(t *testing.T, n int) (*screen.Screen, *Stats) {
	t.Helper()
	var history []model.Delivery
	for i := range n {
		for step, state := range []string{"queued", "processing", []string{"completed", "failed"}[i%2]} {
			history = append(history, feedtest.Event(i, "task.progress", time.Duration(i%100+step*(5+i%9))*time.Second,
				"proxy="+state, "preview="+state, "visual="+state, "transcription="+state))
		}
	}
	filter, err := model.ParseFilter("-nosuchthing")
	if err != nil {
		t.Fatal(err)
	}
	sc := screen.New(t.Context(), screen.Options{
		Feed: feedtest.Folded(t, history), Theme: "dark", Filter: filter, Now: func() time.Time { return feedtest.Midnight.Add(time.Hour) },
	})
	return sc, NewStats(NewTasks())
}

func TestTasksAreCountedInSteps(t *testing.T) {
	const n = 3000
	sc, v := counting(t, n)
	v.Arrange(sc, 100, 30)
	if v.walk == nil || v.walk.next > n/2 {
		t.Fatal("the first step has counted more than its share")
	}
	if frame := strings.Join(v.Draw(sc, 100, 30), "\n"); !strings.Contains(frame, "counting, ") {
		t.Errorf("the view does not tell how far it has come:\n%s", frame)
	}
	steps := 1
	for before := v.walk.next; v.walk != nil; steps++ {
		for _, cmd := range sc.TakeLater() {
			cmd().(screen.Result)()
		}
		if v.walk != nil && v.walk.next-before > n/2 {
			t.Fatalf("a step has counted %d tasks", v.walk.next-before)
		}
	}
	if steps < 3 || v.now().tasks != n {
		t.Errorf("after %d steps, %d tasks are counted", steps, v.now().tasks)
	}
	want := sc.Board.Stats()
	for _, name := range want.Features() {
		if got := v.now().stats.Feature(name); got.Tasks() != want.Feature(name).Tasks() || got.Processing().Count() != want.Feature(name).Processing().Count() {
			t.Errorf("%s: %d tasks and %d stays", name, got.Tasks(), got.Processing().Count())
		}
	}
	for _, s := range model.StateNames() {
		if got := v.now().in(sc, s); got != sc.Board.Count(s) {
			t.Errorf("%d tasks are %s, not %d", got, s, sc.Board.Count(s))
		}
	}
}

func TestAnotherFilterStartsCountingAnewWithoutAskingTwice(t *testing.T) {
	sc, v := counting(t, 3000)
	v.Arrange(sc, 100, 30)
	sc.TakeLater()
	v.Changed(sc, screen.Change{Filter: true})
	v.Arrange(sc, 100, 30)
	if v.walk.next > 1500 {
		t.Error("counting goes on where it was")
	}
	if len(sc.TakeLater()) > 0 {
		t.Error("a second step is asked for while one is on its way")
	}
}

func TestStatisticsAreCountedAnewOnceASecondWhileTasksChange(t *testing.T) {
	sc, v := counting(t, 10)
	began, counts := sc.At, map[time.Time]bool{}
	for range 50 {
		sc.At = sc.At.Add(100 * time.Millisecond)
		v.Changed(sc, screen.Change{Tasks: []int32{1}})
		v.Arrange(sc, 100, 30)
		counts[v.counted] = true
	}
	if most := int(sc.At.Sub(began)/tallyEvery) + 1; len(counts) > most || len(counts) < most-1 {
		t.Errorf("counted anew %d times in %v", len(counts), sc.At.Sub(began))
	}
}

func TestATaskWithALongHistoryHasAStepOfItsOwn(t *testing.T) {
	var history []model.Delivery
	for i := range 3 {
		history = append(history, feedtest.Event(i, "task.progress", time.Second, "proxy=queued"))
	}
	for i := range 6000 {
		history = append(history, feedtest.Event(1, "task.progress", time.Duration(i)*time.Second,
			"proxy=queued", "preview=queued", "visual=queued", "transcription=queued"))
	}
	filter, _ := model.ParseFilter("-nosuchthing")
	sc := screen.New(t.Context(), screen.Options{Feed: feedtest.Folded(t, history), Theme: "dark", Filter: filter})
	cost := func(k *walk) (tasks int) {
		before := k.next
		k.step(sc)
		return k.next - before
	}
	k := newWalk(sc)
	for total := 0; total < 3; {
		n := cost(k)
		if total += n; n == 3 {
			t.Fatal("one step has counted all tasks")
		}
	}
	if k.tasks != 3 {
		t.Errorf("%d tasks are counted", k.tasks)
	}
}

func TestTheLongestAreKeptInOrder(t *testing.T) {
	sc, _ := counting(t, 40)
	var l longest
	for i := range 40 {
		l.offer(sc.Board.At(i), time.Duration(i*7%40)*time.Second)
	}
	for i, r := range l.top {
		if want := time.Duration(39-i) * time.Second; r.time != want {
			t.Errorf("place %d has %s, not %s", i+1, r.time, want)
		}
	}
	if len(l.top) != longestKept || l.of != 40 {
		t.Errorf("%d of %d are kept", len(l.top), l.of)
	}
}

// One step of the statistics over 100,000 tasks, without a filter and with one
// that passes all of them.
func BenchmarkStatsStep(b *testing.B) {
	var history []model.Delivery
	for i := range 100_000 {
		history = append(history, feedtest.Event(i, "task.progress", time.Duration(i%1000)*time.Second, "proxy=queued", "preview=completed", "visual=queued"))
	}
	f := feedtest.Folded(b, history)
	for _, words := range []string{"", "-nosuchthing"} {
		b.Run("filter="+words, func(b *testing.B) {
			filter, err := model.ParseFilter(words)
			if err != nil {
				b.Fatal(err)
			}
			sc := screen.New(b.Context(), screen.Options{Feed: f, Theme: "dark", Filter: filter})
			k := newWalk(sc)
			for b.Loop() {
				if k.step(sc) {
					k = newWalk(sc)
				}
			}
		})
	}
}
