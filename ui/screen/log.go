package screen

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
)

// Log is the event log as it is shown: the deliveries and statuses that pass the
// filter, in the order of their arrival. It holds numbers; the rows themselves
// are read from the journal as they come into sight.
type Log struct {
	s       *Screen
	rows    rows
	inSight []int64 // the deliveries whose rows are on the screen
	trouble string  // why the journal cannot be searched; "" if it can

	// With a filter, what passes it. It is found from the newest delivery to the
	// oldest, while whatever comes is looked at as it comes.
	filtered   bool
	generation int // of the filter
	matches    feed.Index
	pace       feed.Pace
	notes      []feed.Note
	noted      int64 // the newest status that was looked at
	oldest     int64 // deliveries from here
	newest     int64 // to here were looked at
	scanning   bool
	paused     bool // the scan failed and waits to go on
}

func newLog(s *Screen) Log { return Log{s: s, pace: feed.NewPace()} }

// Refilter starts over with the current filter.
func (l *Log) Refilter() {
	l.generation++
	l.matches, l.notes, l.pace, l.noted = feed.Index{}, nil, feed.NewPace(), 0
	l.paused, l.trouble = false, ""
	l.filtered = l.s.Filtered()
	l.newest = l.s.seen()
	l.oldest = l.newest + 1
	l.Follow()
}

// seen is the newest delivery that is shown.
func (s *Screen) seen() int64 {
	if m := s.Board.frozen; m != nil {
		return m.seen
	}
	return s.Feed.Seen()
}

// Follow holds against the filter what has come since the last call, as far as
// it is at hand; the rest is read by a scan.
func (l *Log) Follow() {
	if !l.narrowed() || l.s.Frozen() {
		return
	}
	for _, n := range l.s.Feed.Notes() {
		if n.Key.Pos > l.noted {
			l.noted = n.Key.Pos
			if l.s.Filter.keepNote(l.s, &n) {
				l.notes = append(l.notes, n)
			}
		}
	}
	if !l.filtered {
		return
	}
	for seq := l.newest + 1; seq <= l.s.Feed.Seen() && seq >= l.s.Feed.RecentFrom(); seq++ {
		if a := l.s.Feed.Recent(seq); a != nil {
			l.match(a)
		}
		l.newest = seq
	}
}

// narrowed reports whether statuses are left out.
func (l *Log) narrowed() bool { return l.filtered || l.s.Private }

// match adds a delivery if it passes the filter.
func (l *Log) match(a *feed.Arrival) {
	if l.s.Filter.keepRow(l.s, a) {
		l.matches.Add(a.Seq)
		l.pace.Add(a.Received)
	}
}

// Pace counts the deliveries that pass the filter over time.
func (l *Log) Pace() *feed.Pace {
	if l.filtered {
		return &l.pace
	}
	return l.s.Feed.Pace()
}

// shown are the deliveries and statuses that pass the filter. While the screen
// is frozen, rows from the returned number on are not shown.
func (l *Log) shown() (index *feed.Index, notes []feed.Note, rows int) {
	index, notes = l.s.Feed.Index(), l.s.Feed.Notes()
	if l.filtered {
		index = &l.matches
	}
	if l.narrowed() {
		notes = l.notes
	}
	rows = index.Len()
	if m := l.s.Board.frozen; m != nil {
		rows, _ = index.Find(m.seen + 1)
		end, _ := slices.BinarySearchFunc(notes, feed.RowKey{Seq: m.note.Seq, Pos: m.note.Pos + 1}, byKey)
		notes = notes[:end]
	}
	return index, notes, rows
}

func byKey(n feed.Note, k feed.RowKey) int { return n.Key.Compare(k) }

// Len is the number of rows.
func (l *Log) Len() int {
	_, notes, rows := l.shown()
	return rows + len(notes)
}

// At is the key of row i.
func (l *Log) At(i int) feed.RowKey {
	index, notes, _ := l.shown()
	j, found := slices.BinarySearchFunc(notes, i, func(n feed.Note, i int) int { return noteRow(index, notes, n.Key) - i })
	if found {
		return notes[j].Key
	}
	return feed.RowKey{Seq: index.At(i - j)}
}

// Find is the row of a key, or of the one that follows it.
func (l *Log) Find(k feed.RowKey) int {
	index, notes, _ := l.shown()
	if k.Pos > 0 {
		return noteRow(index, notes, k)
	}
	row, _ := index.Find(k.Seq)
	before, _ := slices.BinarySearchFunc(notes, k, byKey)
	return row + before
}

func noteRow(index *feed.Index, notes []feed.Note, k feed.RowKey) int {
	row, _ := index.Find(k.Seq + 1)
	before, _ := slices.BinarySearchFunc(notes, k, byKey)
	return row + before
}

// Status is the status with the key, or nil.
func (l *Log) Status(k feed.RowKey) *model.Status {
	s := l.s.Feed.Note(k)
	if s != nil && l.s.Private && s.Rejected == nil {
		return nil
	}
	return s
}

// Failed reports whether a row at hand tells a failure or a refusal.
func (l *Log) Failed(k feed.RowKey) bool {
	if k.Pos > 0 {
		s := l.Status(k)
		return s != nil && s.Rejected != nil
	}
	a := l.Row(k.Seq)
	return a != nil && a.TellsFailure()
}

// Refused is the newest request that was refused, or nil.
func (l *Log) Refused() *model.Rejected {
	notes := l.s.Feed.Notes()
	for i := len(notes) - 1; i >= 0; i-- {
		if r := notes[i].Rejected; r != nil {
			return r
		}
	}
	return nil
}

// Need reads the rows in sight that are not at hand, and continues the scan for the
// filter.
func (l *Log) Need(inSight []int64) tea.Cmd {
	l.inSight = inSight
	return tea.Batch(l.readRows(), l.scan())
}
