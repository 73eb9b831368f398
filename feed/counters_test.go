package feed

import (
	"slices"
	"testing"
	"time"
)

var midnight = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func TestARateCountsInEqualPartsWhateverTheOrder(t *testing.T) {
	at := func(second int) time.Time { return midnight.Add(time.Duration(second) * time.Second) }
	for _, seconds := range [][]int{{0, 1, 1, 5, 9}, {9, 5, 1, 1, 0}, {-2, 9, 1, 0, -1, 5, 1}} {
		r := newRate(time.Second, 10)
		for _, s := range seconds {
			r.add(at(s))
		}
		if got := r.last(at(9), 5); !slices.Equal(got, []int{3, 0, 1, 0, 1}) {
			t.Errorf("%v: %v", seconds, got)
		}
	}
}

func TestARateForgetsWhatIsTooLongAgo(t *testing.T) {
	r := newRate(time.Minute, 4)
	for i := range 4 {
		r.add(midnight.Add(time.Duration(i) * time.Minute))
	}
	for i, want := range [][]int{{1, 1, 1, 1}, {1, 1, 1, 0}, {1, 1, 0, 0}} {
		if got := r.last(midnight.Add(time.Duration(3+i)*time.Minute), 4); !slices.Equal(got, want) {
			t.Errorf("%d minutes on: %v", i, got)
		}
	}
	if got := r.last(midnight.Add(time.Hour), 4); !slices.Equal(got, []int{0, 0, 0, 0}) {
		t.Errorf("an hour on: %v", got)
	}
	r.add(midnight)
	if got := r.last(midnight.Add(time.Hour), 1); got[0] != 0 {
		t.Error("what is too long ago is counted")
	}
}
