package feed

import "slices"

const (
	// maxRecent is how many of the newest arrivals are kept at hand, so that nobody
	// who follows reads what was just folded.
	maxRecent = 1000
	// maxHanded is how many bytes of headers and bodies they may have.
	maxHanded = 2 << 20
)

// recent holds the newest arrivals.
type recent struct {
	bySeq  map[int64]*Arrival
	order  []int64 // ascending; all that the journal has from the first one on
	bytes  int     // of the deliveries
	handed int     // the arrivals before this one, in order, have no delivery
}

func newRecent() recent { return recent{bySeq: map[int64]*Arrival{}} }

func (r *recent) add(arrivals []Arrival) {
	if len(arrivals) > maxRecent {
		arrivals = arrivals[len(arrivals)-maxRecent:]
	}
	if more := len(r.order) + len(arrivals) - maxRecent; more > 0 {
		for _, seq := range r.order[:more] {
			r.release(r.bySeq[seq])
			delete(r.bySeq, seq)
		}
		r.order = append(r.order[:0], r.order[more:]...)
		r.handed = max(0, r.handed-more)
	}
	for i := range arrivals {
		a := arrivals[i] // a copy, so that the batch is freed
		r.bySeq[a.Seq] = &a
		r.order = append(r.order, a.Seq)
		if a.delivery != nil {
			r.bytes += size(a.delivery)
		}
	}
	for ; r.bytes > maxHanded; r.handed++ {
		r.release(r.bySeq[r.order[r.handed]])
	}
}

// release drops the delivery of an arrival.
func (r *recent) release(a *Arrival) {
	if a.delivery == nil {
		return
	}
	r.bytes -= size(a.delivery)
	without := *a // others may be reading a
	without.delivery = nil
	r.bySeq[a.Seq] = &without
}

// after returns at most limit arrivals behind seq; all is false if some of them may
// be older than what is at hand.
func (r *recent) after(seq int64, limit int) (found []*Arrival, all bool) {
	if len(r.order) == 0 || r.order[0] > seq+1 {
		return nil, false
	}
	from, _ := slices.BinarySearch(r.order, seq+1)
	for _, seq := range r.order[from:min(from+limit, len(r.order))] {
		found = append(found, r.bySeq[seq])
	}
	return found, true
}

// Recent is one of the newest arrivals, or nil.
func (f *Feed) Recent(seq int64) *Arrival { return f.recent.bySeq[seq] }

// RecentFrom is the number from which on all arrivals are at hand.
func (f *Feed) RecentFrom() int64 {
	if len(f.recent.order) == 0 {
		return f.seen + 1
	}
	return f.recent.order[0]
}
