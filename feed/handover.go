package feed

import (
	"sync"

	"aspectop/model"
)

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
	select {
	case h.news <- struct{}{}:
	default:
	}
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
