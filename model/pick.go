package model

import "time"

// Picks reports whether the filter picks an event of the log. The board, of all
// messages, is asked only if the filter [Filter.NeedsBoard]; else it may be nil.
// Now is the present moment, for is:stalled.
func (f *Filter) Picks(e *Event, b *Board, now time.Time) bool {
	if f.Empty() {
		return true
	}
	s := Subject{Event: e, Duplicate: e.Message != e.Seq, Now: now}
	if b != nil && e.Task != nil {
		if s.Task = b.Task(e.Task.ID); s.Task != nil {
			s.Late, _, _ = s.Task.Arrival(e.Seq)
		}
	}
	return f.Match(&s)
}
