package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// withStates adds lines to the table for the length of a test.
func withStates(t *testing.T, more ...StateInfo) {
	t.Helper()
	old := States
	States = append(slices.Clone(States), more...)
	t.Cleanup(func() { States = old })
}

// boardIn is a board with one task, which has these features.
func boardIn(features ...Feature) (*Board, *Task) {
	b := NewBoard()
	e := &Event{Seq: 1, Message: 1, Kind: Progress, Type: "task.progress", Task: &Snapshot{ID: "t", Features: features, Updated: time.Unix(1, 0)}}
	return b, b.Fold(e)
}

func TestEachStateOfTheTableFoldsAndCounts(t *testing.T) {
	withStates(t,
		StateInfo{"paused", "paused", "‖", '|', "p", 2, false, false, RoleWaiting},
		StateInfo{"expired", "expired", "†", 'T', "e", 3, true, false, RoleStopped})
	for _, info := range append(slices.Clone(States), StateInfo{State: "warming"}) {
		s := info.State
		b, task := boardIn(Feature{"proxy", s}, Feature{"visual", Completed})
		want := s
		switch {
		case info.Success:
			want = Completed
		case !s.Known():
			want = Processing
		}
		if task.State() != want || b.Count(want) != 1 {
			t.Errorf("a task with a feature that is %s is %s, and %d are counted", s, task.State(), b.Count(want))
		}
		if task.Active() == info.Terminal || !slices.Contains(CountedStates(), want) {
			t.Errorf("%s: active is %t, and the counts list %v", s, task.Active(), CountedStates())
		}
		if in := b.Stats().Feature("proxy").In(s); in != 1 {
			t.Errorf("%s: the statistics count %d", s, in)
		}
		filter, err := ParseFilter("proxy:" + fmt.Sprintf("%q", s))
		if err != nil || !filter.match(&target{task: task}) {
			t.Errorf("%s: the filter does not find it: %v", s, err)
		}
		if _, err := ParseFilter("state:" + string(s)); (err == nil) != s.Known() {
			t.Errorf("state:%s gives %v", s, err)
		}
		b.Stats().Remove(task)
	}
}

func TestTheMostUrgentFeatureDecides(t *testing.T) {
	withStates(t, StateInfo{"paused", "paused", "‖", '|', "p", 3, false, false, RoleWaiting})
	all := slices.SortedStableFunc(slices.Values(States), func(a, b StateInfo) int { return a.Order - b.Order })
	for i, first := range all {
		for _, other := range all[i:] {
			_, task := boardIn(Feature{"proxy", other.State}, Feature{"visual", first.State})
			if want := first.State; first.Order < other.Order && task.State() != want {
				t.Errorf("a task that is %s and %s is %s", want, other.State, task.State())
			}
		}
	}
}

func TestTheTableOfStatesIsConsistent(t *testing.T) {
	for i, s := range States {
		if s.Success && !s.Terminal {
			t.Errorf("%s is a success without an end", s.State)
		}
		if len(s.Letter) != 1 || strings.ToLower(s.Letter) != s.Letter || s.Meaning == "" || s.Role == RolePlain {
			t.Errorf("the line of %s lacks something: %+v", s.State, s)
		}
		for _, other := range States[:i] {
			if other.State == s.State || other.Sign == s.Sign || other.Letter == s.Letter {
				t.Errorf("%s and %s cannot be told apart", s.State, other.State)
			}
		}
	}
}
