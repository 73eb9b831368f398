package model

import (
	"errors"
	"slices"
	"testing"
)

// waits tells a wait what each message did, and returns all that was found done, as
// "task state".
func waits(t *testing.T, w *Wait, j *journal) (found []string) {
	t.Helper()
	b := NewBoard()
	for i := range j.deliveries {
		e := Decode(&j.deliveries[i])
		task := b.Fold(&e)
		effect, _ := task.Effect(e.Seq)
		for _, o := range w.See(task, &effect) {
			if !o.Done {
				t.Errorf("%s was found done and is not", o.TaskID)
			}
			found = append(found, o.TaskID+" "+string(o.State))
		}
	}
	return found
}

func newWait(t *testing.T, feature string, any bool, tasks ...string) *Wait {
	t.Helper()
	w, err := NewWait(tasks, feature, any)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ends(t *testing.T, w *Wait, wantOver, wantGood bool) {
	t.Helper()
	if over, good := w.Over(); over != wantOver || good != wantGood {
		t.Errorf("over %v, good %v; want %v, %v", over, good, wantOver, wantGood)
	}
}

func TestAWaitEndsWhenItsTaskIsCompletedFailedOrCancelled(t *testing.T) {
	for _, c := range []struct {
		typ, features, state string
		good                 bool
	}{
		{"task.completed", "visual:completed", "t completed", true},
		{"task.failed", "visual:failed", "t failed", false},
		{"task.progress", "visual:cancelled", "t cancelled", false},
		{"task.progress", "visual:completed proxy:na", "t completed", true},
	} {
		var j journal
		w := newWait(t, "", false, "t")
		j.arrive("task.progress", "t", "12:00:00", "visual:processing")
		j.arrive("task.completed", "u", "12:00:01", "visual:completed") // somebody else's
		if found := waits(t, w, &j); found != nil {
			t.Errorf("done too early: %q", found)
		}
		ends(t, w, false, false)
		j.arrive(c.typ, "t", "12:00:02", c.features)
		if found := waits(t, w, &j); !slices.Equal(found, []string{c.state}) {
			t.Errorf("found %q, want %q", found, c.state)
		}
		ends(t, w, true, c.good)
	}
}

func TestAWaitForSeveralTasksEndsWithTheLastAndIsBadIfOneIsNotCompleted(t *testing.T) {
	var j journal
	j.arrive("task.failed", "b", "12:00:00", "visual:failed")
	j.arrive("task.progress", "b", "12:00:01", "visual:queued") // taken up again: it was done all the same
	j.arrive("task.completed", "a", "12:00:02", "visual:completed")
	w := newWait(t, "", false, "a", "b", "a")
	if found := waits(t, w, &j); !slices.Equal(found, []string{"b failed", "a completed"}) {
		t.Errorf("found %q", found)
	}
	ends(t, w, true, false)
	if rest := w.Unfinished(); rest != nil {
		t.Errorf("unfinished: %v", rest)
	}
}

func TestOfAnyTasksTheFirstDoneDecides(t *testing.T) {
	var j journal
	j.arrive("task.failed", "a", "12:00:05", "visual:failed")
	j.arrive("task.completed", "b", "12:00:02", "visual:completed")
	w := newWait(t, "", true, "a", "b", "c")
	// Both had ended before anybody looked; b was first.
	outcomes, err := w.Look(j.board())
	if err != nil || len(outcomes) != 1 || outcomes[0] != (Outcome{TaskID: "b", State: Completed, Done: true}) {
		t.Errorf("found %v, %v", outcomes, err)
	}
	ends(t, w, true, true)
	if more, _ := w.Look(j.board()); more != nil {
		t.Errorf("found more: %v", more)
	}
}

func TestAFeatureIsWaitedForWhateverTheTaskDoes(t *testing.T) {
	for state, good := range map[string]bool{"completed": true, "na": true, "failed": false, "cancelled": false} {
		var j journal
		j.arrive("task.failed", "t", "12:00:00", "proxy:failed") // has no such feature: waits
		j.arrive("task.progress", "t", "12:00:01", "proxy:failed visual:processing")
		w := newWait(t, "visual", false, "t")
		if found := waits(t, w, &j); found != nil {
			t.Errorf("done too early: %q", found)
		}
		j.arrive("task.progress", "t", "12:00:02", "proxy:failed visual:"+state)
		if found := waits(t, w, &j); !slices.Equal(found, []string{"t " + state}) {
			t.Errorf("found %q, want %s", found, state)
		}
		ends(t, w, true, good)
	}
}

func TestATaskIsNamedByABeginningOfItsIDThatFitsNoOther(t *testing.T) {
	var j journal
	j.arrive("task.progress", "abc-1", "12:00:00", "visual:queued")
	j.arrive("task.completed", "abc-1", "12:00:01", "visual:completed")
	j.arrive("task.progress", "abc-2", "12:00:02", "visual:queued") // too late to be meant
	w := newWait(t, "", false, "abc", "abc-1")
	if found := waits(t, w, &j); !slices.Equal(found, []string{"abc-1 completed"}) {
		t.Errorf("found %q", found)
	}
	ends(t, w, true, true)

	both := newWait(t, "", false, "abc")
	_, err := both.Look(j.board())
	if e := (*AmbiguousError)(nil); !errors.As(err, &e) || !slices.Equal(e.Tasks, []string{"abc-1", "abc-2"}) {
		t.Errorf("two tasks fit, and the error is %v", err)
	}
}

func TestAnIDThatIsTheBeginningOfAnotherMeansItsTask(t *testing.T) {
	var j journal
	j.arrive("task.completed", "abc-1", "12:00:00", "visual:completed")
	j.arrive("task.progress", "abc", "12:00:01", "visual:queued")
	w := newWait(t, "", false, "abc")
	if outcomes, err := w.Look(j.board()); err != nil || outcomes != nil {
		t.Errorf("found %v, %v", outcomes, err)
	}
}

func TestWhatIsUnfinishedIsToldByTheNamesThatWereAskedFor(t *testing.T) {
	var j journal
	j.arrive("task.progress", "abc-1", "12:00:00", "visual:processing")
	w := newWait(t, "", false, "nobody", "abc", "abc-1")
	waits(t, w, &j)
	want := []Outcome{{TaskID: "nobody"}, {TaskID: "abc-1", State: Processing}}
	if got := w.Unfinished(); !slices.Equal(got, want) {
		t.Errorf("unfinished: %v, want %v", got, want)
	}
}

func TestATaskWithoutTheFeatureIsToldWithItsOwnState(t *testing.T) {
	var j journal
	j.arrive("task.completed", "abc-1", "12:00:00", "visual:completed")
	w := newWait(t, "bogus", false, "abc")
	waits(t, w, &j)
	want := []Outcome{{TaskID: "abc-1", Feature: "bogus", Task: Completed}}
	if got := w.Unfinished(); !slices.Equal(got, want) {
		t.Errorf("unfinished: %v, want %v", got, want)
	}
}

func TestNobodyWaitsForATaskWithoutAnID(t *testing.T) {
	if _, err := NewWait([]string{"a", ""}, "", false); err == nil {
		t.Error("an empty id was accepted")
	}
}

func TestATaskThatAspectDoesNotKnowIsNotDoneAndInNoStateUntilItIsBack(t *testing.T) {
	var j journal
	w := newWait(t, "", false, "t")
	j.arrive("task.progress", "t", "12:00:00", "visual:processing")
	j.keep(Delivery{Source: SourceAPI, Received: at("12:05:00"), Body: []byte(
		`{"id":"t","features":{"visual":{"state":"processing"}},"updated":"2026-11-23T12:00:00Z","gone":true,"timestamp":"2026-11-23T12:05:00Z"}`)})
	if found := waits(t, w, &j); found != nil {
		t.Errorf("found %q", found)
	}
	if left := w.Unfinished(); len(left) != 1 || left[0].State != "" || left[0].Done {
		t.Errorf("unfinished is %+v", left)
	}
	if first, second := w.Gone(), w.Gone(); !slices.Equal(first, []string{"t"}) || second != nil {
		t.Errorf("gone are %q, then %q", first, second)
	}
	j.arrive("task.completed", "t", "12:06:00", "visual:completed")
	if found := waits(t, w, &j); !slices.Equal(found, []string{"t completed"}) {
		t.Errorf("found %q", found)
	}
}

func TestANameMeansTheIDItselfOrTheOnlyOneThatBeginsSo(t *testing.T) {
	for _, c := range []struct {
		name      string
		ids       []string
		want      string
		ambiguous bool
	}{
		{"a", nil, "", false},
		{"a", []string{"b", "ca"}, "", false},
		{"a", []string{"ab", "b"}, "ab", false},
		{"a", []string{"ab", "ab"}, "ab", false},
		{"a", []string{"ab", "ac"}, "", true},
		{"a", []string{"ab", "ac", "a"}, "a", false},
	} {
		got, err := Meant(c.name, c.ids)
		if got != c.want || errors.As(err, new(*AmbiguousError)) != c.ambiguous {
			t.Errorf("%s among %q is %q, %v", c.name, c.ids, got, err)
		}
	}
}
