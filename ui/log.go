package ui

import (
	"cmp"
	"slices"

	"aspectop/model"
)

// rowKey names a row of the event log: a delivery by its number, or a status by
// its place behind the delivery that was the newest when it was read.
type rowKey struct {
	seq, pos int64 // pos is 0 for a delivery
}

func (k rowKey) compare(o rowKey) int {
	return cmp.Or(cmp.Compare(k.seq, o.seq), cmp.Compare(k.pos, o.pos))
}

// note is a status in the log.
type note struct {
	key rowKey
	model.Status
}

const maxNotes = 1000 // as many as the status log holds

// eventLog is what the Events view and the task's pane of events show: all
// deliveries of the journal in the order of their arrival, and the statuses
// between them. It holds numbers; the rows themselves are read from the journal
// as they come into sight.
type eventLog struct {
	all     logIndex
	notes   []note // ascending
	pace    pace   // of all deliveries
	rows    map[int64]*arrival
	unread  map[int64]unread // rows that could not be read
	reading bool             // a window is on its way

	// With a filter, the rows that pass it. They are found from the newest to
	// the oldest, while whatever comes is looked at as it comes.
	matches      logIndex
	matchedNotes []note
	matchedPace  pace
	filtered     bool
	generation   int   // of the filter
	scanned      int64 // everything from here on was looked at
	scanning     bool
	paused       bool // the scan failed and waits to go on
}

// add takes arrivals in that were just folded. Older ones than any before are
// held against the filter if the scan has come so far; if not, it will read them.
func (l *eventLog) add(m *Model, arrivals []arrival) {
	if len(arrivals) == 0 {
		return
	}
	older := arrivals[0].Seq < m.oldest
	look := l.filtered && (!older || !l.looking(m))
	if older && look {
		l.scanned = arrivals[len(arrivals)-1].Seq
	}
	for i := range arrivals {
		a := &arrivals[i]
		l.all.add(a.Seq)
		l.pace.add(a.Received)
		if look && m.filter.keepRow(m, a) {
			l.matches.add(a.Seq)
			l.matchedPace.add(a.Received)
		}
	}
	if n := len(arrivals); n > 0 && arrivals[n-1].Seq >= m.seen {
		l.cache(m, arrivals[max(0, n-maxRows/4):])
	}
}

// note takes in a status.
func (l *eventLog) note(m *Model, s model.Status) {
	n := note{rowKey{m.seen, s.Pos}, s}
	l.notes = append(l.notes, n)
	if len(l.notes) > maxNotes {
		l.notes = slices.Delete(l.notes, 0, len(l.notes)-maxNotes)
	}
	if l.filtered && m.filter.keepNote(m, &n) {
		l.matchedNotes = append(l.matchedNotes, n)
	}
}

// shown are the deliveries and statuses that pass the filter.
func (l *eventLog) shown() (*logIndex, []note) {
	if l.filtered {
		return &l.matches, l.matchedNotes
	}
	return &l.all, l.notes
}

// len is the number of rows that pass the filter.
func (l *eventLog) len() int {
	index, notes := l.shown()
	return index.len() + len(notes)
}

// at is the key of row i.
func (l *eventLog) at(i int) rowKey {
	index, notes := l.shown()
	j, found := slices.BinarySearchFunc(notes, i, func(n note, i int) int {
		return l.noteRow(index, notes, n.key) - i
	})
	if found {
		return notes[j].key
	}
	return rowKey{seq: index.at(i - j)}
}

// find is the row of a key, or of the one that follows it.
func (l *eventLog) find(k rowKey) int {
	index, notes := l.shown()
	if k.pos > 0 {
		return l.noteRow(index, notes, k)
	}
	row, _ := index.find(k.seq)
	before, _ := slices.BinarySearchFunc(notes, k, func(n note, k rowKey) int { return n.key.compare(k) })
	return row + before
}

func (l *eventLog) noteRow(index *logIndex, notes []note, k rowKey) int {
	row, _ := index.find(k.seq + 1)
	before, _ := slices.BinarySearchFunc(notes, k, func(n note, k rowKey) int { return n.key.compare(k) })
	return row + before
}

// status is the status with the key, or nil.
func (l *eventLog) status(k rowKey) *model.Status {
	i, found := slices.BinarySearchFunc(l.notes, k, func(n note, k rowKey) int { return n.key.compare(k) })
	if !found {
		return nil
	}
	return &l.notes[i].Status
}
