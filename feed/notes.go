package feed

import (
	"cmp"
	"maps"
	"slices"

	"aspectop/model"
)

// RowKey names a row of the event log: a delivery by its number, or a status by
// its place behind the delivery that was the newest when it was read.
type RowKey struct {
	Seq int64
	Pos int64 // of a status; 0 for a delivery
}

// Compare orders rows as the log shows them.
func (k RowKey) Compare(o RowKey) int {
	return cmp.Or(cmp.Compare(k.Seq, o.Seq), cmp.Compare(k.Pos, o.Pos))
}

// Note is a status in the event log.
type Note struct {
	Key RowKey
	model.Status
}

// maxNotes is how many statuses are rows of the log.
const maxNotes = 1000

// Note is the status with the key, or nil.
func (f *Feed) Note(k RowKey) *model.Status {
	i, found := slices.BinarySearchFunc(f.notes, k, func(n Note, k RowKey) int { return n.Key.Compare(k) })
	if !found {
		return nil
	}
	return &f.notes[i].Status
}

// takeStatus takes in one entry of the status log.
func (f *Feed) takeStatus(s model.Status) {
	switch {
	case s.Forward != nil: // shown beside the delivery
		f.forwards.add(s.Forward)
		return
	case s.Tunnel != nil:
		f.tunnel = s.Tunnel
		// Without the address: the header shows it, which knows when to hide it.
		s.Notice = "tunnel " + string(s.Tunnel.State) + ": " + s.Tunnel.Detail
	case s.Viewer != nil:
		s.Notice = s.Viewer.String()
	case s.Rejected != nil:
		f.counters.Rejected++
	}
	f.notes = append(f.notes, Note{RowKey{f.seen, s.Pos}, s})
	if len(f.notes) > maxNotes {
		f.notes = slices.Delete(f.notes, 0, len(f.notes)-maxNotes)
	}
}

// maxForwards is how many deliveries have forwards in memory.
const maxForwards = 4000

// forwards are the newest tries by delivery, one for each handler.
type forwards map[int64][]*model.Forward

func (f forwards) add(o *model.Forward) {
	if len(f) >= maxForwards {
		for _, seq := range slices.Sorted(maps.Keys(f))[:len(f)/2] {
			delete(f, seq)
		}
	}
	tries := slices.DeleteFunc(slices.Clone(f[o.Seq]), func(other *model.Forward) bool { return other.To == o.To })
	f[o.Seq] = append(tries, o)
}
