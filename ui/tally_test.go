package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

// counting is a model with n tasks that starts counting those that pass a
// filter, which are all.
func counting(t *testing.T, n int) (*Model, *statsView) {
	t.Helper()
	m := crowd(t, n, "5")
	filter, err := model.ParseFilter("-nosuchthing")
	if err != nil {
		t.Fatal(err)
	}
	m.filter.filter = filter
	m.tell(change{filter: true})
	return m, m.views[viewStats].(*statsView)
}

func TestTasksAreCountedInSteps(t *testing.T) {
	const n = 3000
	m, v := counting(t, n)
	m.Update(tickMsg{})
	if v.walk == nil || v.walk.next > n/2 {
		t.Fatal("the first step has counted more than its share")
	}
	if !strings.Contains(m.View().Content, "counting, 33%") {
		t.Errorf("the screen does not tell how far it has come:\n%s", m.View().Content)
	}
	steps := 1
	for before := v.walk.next; v.walk != nil; steps++ {
		m.Update(tallyMsg{})
		if v.walk != nil && v.walk.next-before > n/2 {
			t.Fatalf("a step has counted %d tasks", v.walk.next-before)
		}
	}
	if steps < 3 || v.now().tasks != n {
		t.Errorf("after %d steps, %d tasks are counted", steps, v.now().tasks)
	}
	want := m.board.Stats()
	for _, name := range want.Features() {
		if got := v.now().stats.Feature(name); got.Tasks() != want.Feature(name).Tasks() || got.Processing().Count() != want.Feature(name).Processing().Count() {
			t.Errorf("%s: %d tasks and %d stays", name, got.Tasks(), got.Processing().Count())
		}
	}
	for _, s := range model.States {
		if got := v.now().in(m, s); got != m.board.Count(s) {
			t.Errorf("%d tasks are %s, not %d", got, s, m.board.Count(s))
		}
	}
}

func TestAnotherFilterStartsCountingAnewWithoutAskingTwice(t *testing.T) {
	m, v := counting(t, 3000)
	m.Update(tickMsg{})
	m.tell(change{filter: true})
	later := len(m.later)
	m.arrange()
	if v.walk.next > 1500 {
		t.Error("counting goes on where it was")
	}
	if len(m.later) != later {
		t.Error("a second step is asked for while one is on its way")
	}
}

func TestATaskWithALongHistoryHasAStepOfItsOwn(t *testing.T) {
	m := crowd(t, 3, "5")
	for i := range 6000 {
		d := event(1, "task.progress", time.Duration(i)*time.Second, "proxy=queued", "preview=queued", "visual=queued", "transcription=queued")
		d.Seq = int64(100 + i)
		d.Message = d.Seq
		e := model.Decode(&d)
		m.board.Fold(&e)
	}
	filter, _ := model.ParseFilter("-nosuchthing")
	m.filter.filter = filter
	k := newWalk(m)
	for _, next := range []int{1, 2} {
		if k.step(m) || k.next != next {
			t.Fatalf("the step came to task %d, not %d", k.next, next)
		}
	}
	if !k.step(m) || k.tasks != 3 {
		t.Errorf("%d tasks are counted", k.tasks)
	}
}

func TestTheLongestAreKeptInOrder(t *testing.T) {
	m := crowd(t, 20, "5")
	var l longest
	for i := range 20 {
		l.offer(m.board.At(i), time.Duration(i*7%20)*time.Second)
	}
	for i, r := range l.top {
		if want := time.Duration(19-i) * time.Second; r.time != want {
			t.Errorf("place %d has %s, not %s", i+1, r.time, want)
		}
	}
	if len(l.top) != longestKept || l.of != 20 {
		t.Errorf("%d of %d are kept", len(l.top), l.of)
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
