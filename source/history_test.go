package source

import (
	"fmt"
	"testing"
	"time"

	"aspectop/model"
)

func TestAHistoryBeginsWithTheNewestDeliveries(t *testing.T) {
	old := envelope("e", "task.progress", task("old", time.Now(), "visual:queued"))
	journal := &memory{kept: make([]model.Delivery, lookBack+1)}
	for i := range journal.kept {
		journal.kept[i] = model.Delivery{Seq: int64(i + 1), Message: int64(i + 1), ID: "x"}
	}
	journal.kept[0].Body, journal.kept[1].Body = []byte(old), []byte(envelope("e", "task.progress", task("new", time.Now(), "visual:queued")))
	h := NewHistory(journal)
	if err := h.catchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.unfinished(time.Time{}); len(got) != 1 || got[0] != "new" {
		t.Errorf("unfinished are %q", got)
	}
}

func TestTheNewestIDsAreRememberedAndMemoryIsBounded(t *testing.T) {
	r := newRecent(100)
	for i := range 1000 {
		r.add(fmt.Sprint(i))
		r.add("often")
	}
	for i := 901; i < 1000; i++ {
		if !r.has(fmt.Sprint(i)) {
			t.Errorf("%d of 1000 is forgotten", i)
		}
	}
	if !r.has("often") || r.has("1") || len(r.new)+len(r.old) > 200 {
		t.Errorf("%d are remembered", len(r.new)+len(r.old))
	}
}
