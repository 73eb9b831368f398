package source

import (
	"fmt"
	"testing"

	"aspectop/model"
)

func TestOfALongHistoryTheNewestIDsAreRemembered(t *testing.T) {
	journal := &memory{kept: make([]model.Delivery, 2*recentIDs)}
	for i := range journal.kept {
		journal.kept[i] = model.Delivery{Seq: int64(i + 1), Message: int64(i + 1), ID: fmt.Sprint("sse:", i+1), Source: model.SourceSSE, Body: []byte("{}")}
	}
	h := historyOf(t, journal)
	if err := h.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, want := range map[int]bool{2 * recentIDs: true, recentIDs + 1: true, 1: false} {
		if got := h.has(fmt.Sprint("sse:", i)); got != want {
			t.Errorf("delivery %d of %d is known: %v", i, 2*recentIDs, got)
		}
	}
	if last, err := h.lastStreamID(t.Context()); last != "" || err != nil {
		t.Errorf("the stream told %q, %v", last, err)
	}
}

func TestTheNewestIDsAreRememberedAndMemoryIsBounded(t *testing.T) {
	r := newRecent(100)
	has := func(s string) bool {
		_, known := r.get(s)
		return known
	}
	for i := range 1000 {
		r.add(fmt.Sprint(i), 0)
		r.add("often", 0)
	}
	for i := 901; i < 1000; i++ {
		if !has(fmt.Sprint(i)) {
			t.Errorf("%d of 1000 is forgotten", i)
		}
	}
	if !has("often") || has("1") || len(r.new)+len(r.old) > 200 {
		t.Errorf("%d are remembered", len(r.new)+len(r.old))
	}
}
