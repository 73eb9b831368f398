package receiver

import (
	"slices"
	"sync"
	"time"

	"aspectop/model"
)

const (
	keptPerSecond = 10
	keepPause     = time.Second
	// knownMost is how many ids and paths are remembered; with more, it starts over.
	knownMost = 4096
)

// keeper gathers the rejected requests of a second and keeps some of them in one go, away
// from all deliveries: first those with the headers of a delivery whose id or path is new.
type keeper struct {
	save func([]model.Rejected) error // nil keeps none

	mu            sync.Mutex // guards what follows
	first, others []model.Rejected
	known         map[string]bool // ids and paths
	waiting       bool            // a flush is due
	lost          int64           // that were not kept and will not be

	saving sync.Mutex // one flush at a time
}

// add takes a request in, unless the second has enough of its kind.
func (k *keeper) add(r *model.Rejected) {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := &k.others
	if len(k.first) < keptPerSecond && signed(r.Header) && k.isNew(r) {
		list = &k.first
	}
	if k.save == nil || len(*list) == keptPerSecond {
		k.lost++
		return
	}
	*list = append(*list, *r)
	if !k.waiting {
		k.waiting = true
		time.AfterFunc(keepPause, k.flush)
	}
}

// isNew reports whether the id or the path of a request is new, and remembers both.
func (k *keeper) isNew(r *model.Rejected) (is bool) {
	if k.known == nil || len(k.known) > knownMost {
		k.known = make(map[string]bool)
	}
	for _, key := range [...]string{"id " + r.ID, "path " + r.Path} {
		is = is || !k.known[key]
		k.known[key] = true
	}
	return is
}

// flush keeps what was gathered. What cannot be kept stays counted as not kept.
func (k *keeper) flush() {
	k.saving.Lock()
	defer k.saving.Unlock()
	k.mu.Lock()
	batch := append(k.first, k.others...)
	lost := max(0, len(batch)-keptPerSecond)
	batch = batch[:len(batch)-lost]
	slices.SortStableFunc(batch, func(a, b model.Rejected) int { return a.At.Compare(b.At) })
	k.first, k.others, k.waiting = nil, nil, false
	k.mu.Unlock()
	if len(batch) > 0 && k.save(batch) != nil {
		lost += len(batch)
	}
	k.lose(int64(lost))
}

// lose counts requests that are not kept, and returns how many there were.
func (k *keeper) lose(n int64) (lost int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lost += n
	return k.lost
}
