package feed

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAnIndexIsASortedSetWhateverTheOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var x Index
		var want []int64
		for range r.IntN(300) {
			seq := r.Int64N(400)
			i, found := slices.BinarySearch(want, seq)
			if r.IntN(4) == 0 {
				if x.Remove(seq); found {
					want = slices.Delete(want, i, i+1)
				}
				continue
			}
			if x.Add(seq); !found {
				want = slices.Insert(want, i, seq)
			}
		}
		if x.Len() != len(want) {
			t.Fatalf("%d rows, not %d", x.Len(), len(want))
		}
		for i, seq := range want {
			if row, found := x.Find(seq); x.At(i) != seq || row != i || !found {
				t.Fatalf("row %d is %d and %d is in row %d; it should be %d", i, x.At(i), seq, row, seq)
			}
		}
		for seq := range int64(400) {
			if i, _ := slices.BinarySearch(want, seq); i < len(want) {
				if row, _ := x.Find(seq); row != i {
					t.Fatalf("%d would be in row %d, not %d", seq, row, i)
				}
			}
		}
	}
}
