package forward

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Random adds, tries and retries, against lists that are plainly right.
func TestEveryPartitionWaitsInOnePlaceAndKeepsItsOrder(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		s, now, want := newPartitions(), time.Unix(0, 0), map[string][]int64{}
		var flying []*partition
		for seq := range int64(300) {
			switch r.IntN(4) {
			case 0, 1:
				key := fmt.Sprint(r.IntN(6))
				s.add(key, seq, now)
				want[key] = append(want[key], seq)
			case 2:
				if retry := r.IntN(2) == 0; len(s.fresh) > 0 || retry && s.later.due(now) {
					flying = append(flying, s.take(now, retry))
				}
			case 3:
				if len(flying) == 0 {
					continue
				}
				i := r.IntN(len(flying))
				l := flying[i]
				flying = slices.Delete(flying, i, i+1)
				l.place = nowhere
				if r.IntN(2) == 0 {
					l.items[0].tries++
					l.items[0].next = now.Add(time.Duration(r.IntN(50)))
					s.setDown(l, []time.Time{{}, now}[r.IntN(2)])
				} else {
					s.setDown(l, time.Time{})
					l.items, want[l.key] = l.items[1:], want[l.key][1:]
					s.items--
				}
				s.put(l, now)
			}
			now = now.Add(1)
			if r.IntN(20) == 0 {
				s.retryDown(now)
			}
			check(t, &s, flying, want)
		}
	}
}

func check(t *testing.T, s *partitions, flying []*partition, want map[string][]int64) {
	t.Helper()
	places, items, down := map[*partition]int{}, 0, 0
	for place, list := range map[place][]*partition{inFresh: s.fresh, inLater: s.later, inFlight: flying} {
		for _, l := range list {
			places[l]++
			if l.place != place {
				t.Fatalf("partition %s is in list %d and says %d", l.key, place, l.place)
			}
		}
	}
	for key, l := range s.byKey {
		items += len(l.items)
		if !l.down.IsZero() {
			down++
		}
		if places[l] != 1 {
			t.Fatalf("partition %s is in %d lists", key, places[l])
		}
		if !slices.Equal(numbers(l), want[key]) {
			t.Fatalf("partition %s holds %v, want %v", key, numbers(l), want[key])
		}
	}
	if len(places) != len(s.byKey) || items != s.items || down != s.down {
		t.Fatalf("%d partitions of %d, %d items of %d, %d down of %d", len(places), len(s.byKey), items, s.items, down, s.down)
	}
}

func TestTheWindowKnowsItsLeastAndStaysSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	w := newWindow()
	open := []int64{}
	for seq := int64(1); seq <= 20_000; seq++ {
		w.add(seq)
		open = append(open, seq)
		for len(open) > 0 && r.IntN(100) < 49 || len(open) > 100 {
			i := 1 + r.IntN(len(open)) // the first is stuck
			if i >= len(open) {
				break
			}
			w.settle(open[i])
			open = slices.Delete(open, i, i+1)
		}
		if r.IntN(500) == 0 {
			w.settle(open[0])
			open = open[1:]
		}
		w.settle(-1)
		want := seq
		if len(open) > 0 {
			want = open[0] - 1
		}
		if got := w.settledUpTo(seq); got != want || w.len() != len(open) {
			t.Fatalf("after %d: settled up to %d, not %d", seq, got, want)
		}
		if len(w.order) > 2*len(open)+64 {
			t.Fatalf("%d numbers are held for %d", len(w.order), len(open))
		}
	}
}
