package feed

import (
	"cmp"
	"slices"
)

const (
	// maxRecent is how many of the newest arrivals are kept, so that readers that
	// follow need not read and decode again what was just folded.
	maxRecent = 1000
	// maxHanded is how many bytes of headers and bodies they may have.
	maxHanded = 2 << 20
)

// recent holds the newest arrivals.
type recent struct {
	all    []*Arrival // ascending; all that the journal has from the first one on
	bytes  int        // of their deliveries
	handed int        // those before this index have no delivery
}

func (r *recent) add(arrivals []Arrival) {
	for _, a := range arrivals[max(0, len(arrivals)-maxRecent):] { // copies, so that the batch is freed
		r.all = append(r.all, &a)
		if a.delivery != nil {
			r.bytes += size(a.delivery)
		}
	}
	excess := max(0, len(r.all)-maxRecent)
	for ; r.handed < excess || r.bytes > maxHanded; r.handed++ {
		if a := r.all[r.handed]; a.delivery != nil {
			r.bytes -= size(a.delivery)
			without := *a // others may be reading a
			without.delivery = nil
			r.all[r.handed] = &without
		}
	}
	r.all = slices.Delete(r.all, 0, excess)
	r.handed -= excess
}

// search finds the place of seq among the arrivals.
func (r *recent) search(seq int64) (i int, found bool) {
	return slices.BinarySearchFunc(r.all, seq, func(a *Arrival, seq int64) int { return cmp.Compare(a.Seq, seq) })
}

func (r *recent) get(seq int64) *Arrival {
	if i, found := r.search(seq); found {
		return r.all[i]
	}
	return nil
}

// after returns at most limit arrivals behind seq; all is false if some of them may
// be older than what is kept.
func (r *recent) after(seq int64, limit int) (found []*Arrival, all bool) {
	if len(r.all) == 0 || r.all[0].Seq > seq+1 {
		return nil, false
	}
	from, _ := r.search(seq + 1)
	return slices.Clone(r.all[from:min(from+limit, len(r.all))]), true
}

// Recent is one of the newest arrivals, or nil.
func (f *Feed) Recent(seq int64) *Arrival { return f.recent.get(seq) }

// RecentFrom is the number from which on [Feed.Recent] knows all arrivals.
func (f *Feed) RecentFrom() int64 {
	if len(f.recent.all) == 0 {
		return f.seen + 1
	}
	return f.recent.all[0].Seq
}
