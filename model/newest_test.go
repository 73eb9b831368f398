package model

import (
	"slices"
	"strings"
	"testing"
)

func TestInTheOrderOfArrivalALateMessageIsNotTheNewest(t *testing.T) {
	var j journal
	j.arrive("task.progress", "t", "12:00:00", "visual:queued")
	j.arrive("task.progress", "t", "12:02:00", "visual:processing")
	j.arrive("task.progress", "t", "12:01:00", "visual:queued")
	b := NewBoard()
	for i, want := range []int64{1, 2, 2} {
		e := Decode(&j.deliveries[i])
		if got := b.Fold(&e).Newest(); got != want {
			t.Errorf("after message %d, %d is the newest, want %d", i+1, got, want)
		}
	}
	b.At(0).Seqs() // sorting the messages moves it
	if got := b.At(0).Newest(); got != 2 {
		t.Errorf("after sorting, %d is the newest, want 2", got)
	}
}

func TestChangesAreWhatDiffers(t *testing.T) {
	before := []Feature{{"proxy", Queued}, {"visual", Queued}, {"old", NA}}
	after := []Feature{{"proxy", Queued}, {"visual", Failed}, {"embedding", Queued}}
	want := []Change{{"visual", Queued, Failed}, {"embedding", "", Queued}, {"old", NA, ""}}
	if got := Changes(before, after); !slices.Equal(got, want) {
		t.Errorf("changes are %v, want %v", got, want)
	}
	if got := Changes(after, after); got != nil {
		t.Errorf("equal features differ by %v", got)
	}
}

func TestATaskSaysWhatDecidedItsState(t *testing.T) {
	for _, c := range []struct {
		name       string
		steps      []string
		typ        string
		byFeatures bool
	}{
		{"features", []string{"task.progress visual:queued"}, "task.progress", true},
		{"an end", []string{"task.progress visual:queued", "task.failed visual:completed"}, "task.failed", false},
		{"an end, whatever internal features do later", []string{"task.completed visual:queued", "task.progress visual:queued"}, "task.completed", false},
		{"a retry", []string{"task.failed visual:failed", "task.progress visual:queued"}, "task.progress", true},
	} {
		var j journal
		for i, step := range c.steps {
			typ, features, _ := strings.Cut(step, " ")
			j.arrive(typ, "t", []string{"12:00:00", "12:01:00"}[i], features)
		}
		if typ, byFeatures := only(t, j.board()).DecidedBy(); typ != c.typ || byFeatures != c.byFeatures {
			t.Errorf("%s: decided by %s, by features %v", c.name, typ, byFeatures)
		}
	}
}
