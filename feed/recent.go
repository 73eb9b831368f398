package feed

import (
	"cmp"
	"slices"
	"sync"

	"aspectop/broadcast"
	"aspectop/model"
)

const (
	// maxRecent is how many of the newest arrivals are kept, so that readers that
	// follow need not read and decode again what was just folded.
	maxRecent = 1000
	// maxHanded is how many bytes of headers and bodies they may have.
	maxHanded = 2 << 20
)

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

// handover passes the deliveries that this process commits to the fold, which need
// not read them from the journal then.
type handover struct {
	mu         sync.Mutex
	deliveries []model.Delivery // in the order of their numbers
	bytes      int
	news       chan struct{} // holds a signal while there are deliveries
}

// Committed hands over deliveries that this process has just committed, in the
// order of their numbers, with headers and bodies that do not change any more. It
// does not block. If the fold falls behind by more than 2 MiB, it reads them from
// the journal instead.
func (f *Feed) Committed(deliveries []model.Delivery) {
	h := &f.handed
	h.mu.Lock()
	for i := range deliveries {
		h.bytes += size(&deliveries[i])
	}
	if h.bytes > maxHanded {
		h.deliveries, h.bytes = nil, 0
	} else {
		h.deliveries = append(h.deliveries, deliveries...)
	}
	h.mu.Unlock()
	broadcast.Nudge(h.news)
}

// take returns what was handed over since its last call and follows seq without a
// gap. If it returns nothing, what is behind seq must be read from the journal.
func (h *handover) take(seq int64) []model.Delivery {
	h.mu.Lock()
	defer h.mu.Unlock()
	deliveries := h.deliveries
	h.deliveries, h.bytes = nil, 0
	for len(deliveries) > 0 && deliveries[0].Seq <= seq {
		deliveries = deliveries[1:]
	}
	if len(deliveries) == 0 || deliveries[0].Seq != seq+1 ||
		deliveries[len(deliveries)-1].Seq != seq+int64(len(deliveries)) {
		return nil
	}
	return deliveries
}

// size is what a delivery takes in memory, in bytes.
func size(d *model.Delivery) int {
	n := len(d.Body) + 256
	for name, values := range d.Header {
		n += len(name) + 64
		for _, v := range values {
			n += len(v) + 16
		}
	}
	return n
}
