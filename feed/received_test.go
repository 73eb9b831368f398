package feed

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheNewestMessagesCanBeFoundAndOlderOnesAreForgotten(t *testing.T) {
	const all = 2 * maxReceived
	ids := func(i int) string { return fmt.Sprintf("msg_%d", i) }
	arrivals := make([]Arrival, all)
	for i := range arrivals {
		arrivals[i].Event = model.Event{
			Seq: int64(i + 1), Message: int64(i + 1), ID: ids(i + 1), Source: model.SourceWebhook, Received: midnight.Add(time.Duration(i) * time.Second),
		}
	}
	backwards := slices.Clone(arrivals)
	slices.Reverse(backwards)
	for name, order := range map[string][]Arrival{"as they came": arrivals, "newest first": backwards} {
		t.Run(name, func(t *testing.T) {
			r := newReceived()
			for batch := range slices.Chunk(order, 4000) {
				r.add(batch)
				if len(r.byID) > maxReceived*6/5+4000 {
					t.Fatalf("%d messages are remembered", len(r.byID))
				}
			}
			for _, i := range []int{all, all - maxReceived + 1} {
				if r.byID[ids(i)].seq != int64(i) {
					t.Errorf("message %d of %d is not found", i, all)
				}
			}
			if _, found := r.byID[ids(1)]; found {
				t.Error("the oldest message is still remembered")
			}
			if oldest := midnight.Add(time.Duration(r.floor-1) * time.Second); r.since.After(oldest.Add(maxReceived*time.Second)) || r.since.Before(oldest) {
				t.Errorf("knowledge begins at %v; the oldest that is known for sure came at %v", r.since, oldest)
			}
		})
	}
}
