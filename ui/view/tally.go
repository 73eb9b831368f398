package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/screen"
)

// tally is what a walk over the tasks that pass the filter finds.
type tally struct {
	tasks int
	// By state, and their statistics; not counted without a filter: the board has them.
	states  map[model.State]int
	stats   *model.Stats // nil if not counted
	slowest longest      // tasks that ended
	stalled longest      // by the time without news
}

type ranked struct {
	task *model.Task
	time time.Duration
}

// longest are the few tasks with the longest time, longest first.
type longest struct {
	top []ranked
	of  int // how many were offered
}

const longestKept = 25

func (l *longest) offer(t *model.Task, d time.Duration) {
	l.of++
	if len(l.top) == longestKept && d < l.top[longestKept-1].time {
		return
	}
	r := ranked{t, d}
	i, _ := slices.BinarySearchFunc(l.top, r, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.time, a.time), strings.Compare(a.task.ID(), b.task.ID()))
	})
	l.top = slices.Insert(l.top, i, r)
	l.top = l.top[:min(len(l.top), longestKept)]
}

// walk counts the tasks in steps, so that no step holds the screen up.
type walk struct {
	tally
	next int // the task to be looked at next
}

// stepCost bounds the work of a step (see [walk.costOf]) to some 2 ms.
const stepCost = 20_000

// costOf is the work of a task, in reads of one feature in one message.
func (k *walk) costOf(t *model.Task) int {
	if k.stats == nil {
		return 3
	}
	return 4 + len(t.Features())*t.Messages()
}

func newWalk(sc *screen.Screen) *walk {
	k := &walk{}
	if sc.Filtered() {
		stats := model.NewStats()
		k.states, k.stats = map[model.State]int{}, &stats
	}
	return k
}

// step continues counting and reports whether it is done.
func (k *walk) step(sc *screen.Screen) (done bool) {
	for cost := 0; k.next < sc.Board.Len(); k.next++ {
		t := sc.Board.At(k.next)
		if cost += k.costOf(t); cost > stepCost && cost > k.costOf(t) {
			return false
		}
		if k.stats != nil && !sc.Keep(t) {
			continue
		}
		k.tasks++
		if k.stats != nil {
			k.states[t.State()]++
			k.stats.Add(t)
		}
		if !t.Active() {
			if d := t.Took(sc.At); d > 0 {
				k.slowest.offer(t, d)
			}
		} else if since, ok := sc.Board.Stalled(t, sc.At); ok {
			k.stalled.offer(t, sc.At.Sub(since))
		}
	}
	return true
}

const (
	// tallyEvery is how often the tasks are counted while they change, at most.
	tallyEvery = time.Second
	// tallyStalledEvery is how often they are counted while nothing changes: tasks stall.
	tallyStalledEvery = 5 * time.Second
)

// refresh starts a walk if what is shown is out of date.
func (v *Stats) refresh(sc *screen.Screen) {
	age := sc.At.Sub(v.counted)
	switch {
	case v.walk != nil || sc.Board.Len() == 0:
		return
	case v.shown == nil, v.stale && age >= tallyEvery, age >= tallyStalledEvery:
		v.walk, v.stale, v.counted = newWalk(sc), false, sc.At
		v.stepOn(sc)
	}
}

func (v *Stats) stepOn(sc *screen.Screen) {
	if v.walk.step(sc) {
		v.shown, v.walk = &v.walk.tally, nil
		return
	}
	if !v.stepping {
		v.stepping = true
		sc.Later(func() tea.Msg {
			return screen.Result(func() {
				if v.stepping = false; v.walk != nil {
					v.stepOn(sc)
				}
			})
		})
	}
}

// in is the number of tasks in a state, live as long as the board has it.
func (n *tally) in(sc *screen.Screen, s model.State) int {
	if n.stats == nil {
		return sc.Board.Count(s)
	}
	return n.states[s]
}

// now is the newest finished tally, or what is counted so far for a new filter.
func (v *Stats) now() *tally {
	switch {
	case v.shown != nil:
		return v.shown
	case v.walk != nil:
		return &v.walk.tally
	}
	return &tally{}
}
