package screen

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
	"aspectop/model"
)

// Log is the event log as shown: the keys of the deliveries and statuses that match, in
// the order of arrival. Rows are read from the journal when they come into sight.
type Log struct {
	s       *Screen
	rows    rows
	inSight []int64 // the deliveries whose rows are on the screen
	trouble string  // why the journal cannot be searched; "" if it can

	// With a filter, what matches it: scanned from the newest to the oldest.
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

	// With a filter that asks how tasks are now.
	states   map[int32]model.State // of tasks that have changed
	doubtful []int32               // tasks whose rows are to be matched again
	doubting bool                  // some are on their way
}

func newLog(s *Screen) Log { return Log{s: s, pace: feed.NewPace()} }

// Refilter starts over with the current filter.
func (l *Log) Refilter() {
	l.generation++
	l.matches, l.notes, l.pace, l.noted = feed.Index{}, nil, feed.NewPace(), 0
	l.paused, l.trouble = false, ""
	l.states, l.doubtful = map[int32]model.State{}, nil
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

// Follow filters what has come since the last call, if still cached; a scan reads the rest.
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

func (l *Log) narrowed() bool { return l.filtered || l.s.Private }

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

// shown are the deliveries and statuses that match, and how many deliveries are shown.
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

// Failed reports whether a row tells a failure or a rejection, and whether it was read.
func (l *Log) Failed(k feed.RowKey) (failed, known bool) {
	if k.Pos > 0 {
		s := l.Status(k)
		return s != nil && s.Rejected != nil, true
	}
	a := l.Row(k.Seq)
	return a != nil && a.TellsFailure(), a != nil
}

// Refused is the newest request that was refused, or nil.
func (l *Log) Refused() *model.Rejected {
	for _, n := range slices.Backward(l.s.Feed.Notes()) {
		if n.Rejected != nil {
			return n.Rejected
		}
	}
	return nil
}

// Need reads missing rows in sight, and continues the scan.
func (l *Log) Need(inSight []int64) tea.Cmd {
	l.inSight = inSight
	return tea.Batch(l.readRows(), l.scan(), l.matchAgain())
}

// maxRows is how many decoded rows a screen caches, beside the feed's.
const maxRows = 600

// retryTime is how long to wait after the journal could not be read.
const retryTime = time.Second

// rows are the decoded rows that were read because they came into sight.
type rows struct {
	read    map[int64]*feed.Arrival
	unread  map[int64]unread // could not be read
	reading bool             // some are on their way
}

type unread struct {
	why     string
	removed bool // no longer in the journal: reading again is of no use
	tried   bool // not to be tried again yet
}

// Row is a delivery that is at hand, or nil.
func (l *Log) Row(seq int64) *feed.Arrival {
	if a := l.rows.read[seq]; a != nil {
		return a
	}
	return l.s.Feed.Recent(seq)
}

// Unread says why a row could not be read; "" if that was not tried.
func (l *Log) Unread(seq int64) string { return l.rows.unread[seq].why }

// hold caches rows. When there are too many, only those in sight are kept.
func (r *rows) hold(arrivals []feed.Arrival, inSight []int64) {
	if r.read == nil || len(r.read)+len(arrivals) > maxRows {
		old := r.read
		r.read = map[int64]*feed.Arrival{}
		for _, seq := range inSight {
			if a := old[seq]; a != nil {
				r.read[seq] = a
			}
		}
	}
	for i := range arrivals {
		r.read[arrivals[i].Seq] = &arrivals[i]
	}
}

// readRows reads missing rows in sight, and caches those that only the feed has.
func (l *Log) readRows() tea.Cmd {
	if l.rows.reading {
		return nil
	}
	var missing []int64
	var recent []feed.Arrival
	for _, seq := range l.inSight {
		if l.rows.read[seq] != nil {
			continue
		}
		if a := l.s.Feed.Recent(seq); a != nil {
			recent = append(recent, *a)
		} else if u := l.rows.unread[seq]; !u.removed && !u.tried {
			missing = append(missing, seq)
		}
	}
	if len(recent) > 0 {
		l.rows.hold(recent, l.inSight)
	}
	if len(missing) == 0 {
		return nil
	}
	l.rows.reading = true
	s := l.s
	return func() tea.Msg {
		var arrivals []feed.Arrival
		failed := map[int64]unread{}
		for _, seq := range missing {
			a, err := s.Feed.Row(s.Ctx, seq)
			switch {
			case s.Ctx.Err() != nil:
				return nil
			case err == nil:
				arrivals = append(arrivals, a)
			default:
				failed[seq] = s.whyUnread(seq, err)
			}
		}
		return Result(func() { l.rowsRead(arrivals, failed) })
	}
}

// whyUnread tells a row that was removed from one that cannot be read now.
func (s *Screen) whyUnread(seq int64, err error) unread {
	if first, last, rangeErr := s.Feed.Range(s.Ctx); rangeErr == nil && (seq < first || last == 0) {
		return unread{why: fmt.Sprintf("#%d is no longer in the journal (--retain)", seq), removed: true}
	}
	return unread{why: fmt.Sprintf("#%d cannot be read: %v", seq, err), tried: true}
}

func (l *Log) rowsRead(arrivals []feed.Arrival, failed map[int64]unread) {
	r := &l.rows
	r.reading = false
	r.hold(arrivals, l.inSight)
	for i := range arrivals {
		delete(r.unread, arrivals[i].Seq)
	}
	if r.unread == nil || len(r.unread) > maxRows {
		r.unread = map[int64]unread{}
	}
	again := false
	for seq, u := range failed {
		r.unread[seq] = u
		again = again || u.tried
	}
	if again {
		l.retry(func() {
			for seq, u := range r.unread {
				u.tried = false
				r.unread[seq] = u
			}
		})
	}
}

func (l *Log) retry(again Result) {
	l.s.Later(tea.Tick(retryTime, func(time.Time) tea.Msg { return again }))
}

// Looking reports whether folded deliveries remain to be matched.
func (l *Log) Looking() bool {
	return l.filtered && (l.oldest > l.s.Feed.Oldest() || l.newest < l.s.seen())
}

// scan reads what came and is no longer cached, then goes on towards the oldest.
func (l *Log) scan() tea.Cmd {
	if l.scanning || l.paused || !l.Looking() {
		return nil
	}
	l.scanning = true
	s, generation, upTo := l.s, l.generation, l.s.seen()
	from, read, newer := l.oldest, s.Feed.Before, false
	if l.newest < upTo {
		from, read, newer = l.newest, s.Feed.After, true
	}
	return func() tea.Msg {
		arrivals, err := read(s.Ctx, from)
		if s.Ctx.Err() != nil {
			return nil
		}
		return Result(func() { l.scanned(generation, newer, upTo, arrivals, err) })
	}
}

// scanned matches deliveries read for that generation of the filter: newer ones, which were
// complete up to upTo, or older ones, newest first.
func (l *Log) scanned(generation int, newer bool, upTo int64, arrivals []feed.Arrival, err error) {
	l.scanning = false
	if generation != l.generation {
		return
	}
	l.trouble = ""
	if err != nil {
		l.trouble = "cannot search the journal: " + err.Error()
		l.paused = true
		l.retry(func() {
			if generation == l.generation {
				l.paused = false // the scan goes on after any message
			}
		})
		return
	}
	// What is not folded yet is not looked at.
	oldest, seen := l.s.Feed.Oldest(), l.s.seen()
	for i := range arrivals {
		switch a := &arrivals[i]; {
		case newer && a.Seq > l.newest && a.Seq <= seen:
			l.match(a)
			l.newest = a.Seq
		case !newer && a.Seq < l.oldest && a.Seq >= oldest:
			l.match(a)
			l.oldest = a.Seq
		}
	}
	if n := len(arrivals); n < feed.FullBatch { // numbers that are left were removed
		if newer {
			l.newest = max(l.newest, upTo)
		} else {
			l.oldest = min(l.oldest, oldest)
		}
	} else if last := arrivals[n-1].Seq; !newer && last < oldest {
		l.oldest = oldest
	}
}

// maxDoubt is how many rows of one task are matched again: its newest.
const maxDoubt = 1000

// Doubt has the rows of tasks matched again whose state has changed, if the filter asks
// for that.
func (l *Log) Doubt(tasks []int32) {
	if loading, _, _ := l.s.Feed.Loading(); loading || !l.filtered || !l.s.Filter.Words.NeedsBoard() {
		return
	}
	for _, i := range tasks {
		if state := l.s.Board.At(int(i)).State(); l.states[i] != state {
			l.states[i] = state
			l.doubtful = append(l.doubtful, i)
		}
	}
}

// matchAgain reads the rows of the next task in doubt.
func (l *Log) matchAgain() tea.Cmd {
	if l.doubting || len(l.doubtful) == 0 || l.s.Frozen() {
		return nil
	}
	seqs := l.s.Board.At(int(l.doubtful[0])).Seqs()
	slices.Sort(seqs)
	seqs = seqs[max(0, len(seqs)-maxDoubt):]
	l.doubtful, l.doubting = l.doubtful[1:], true
	s, generation := l.s, l.generation
	return func() tea.Msg {
		var rows []feed.Arrival
		for _, seq := range seqs {
			if a, err := s.Feed.Row(s.Ctx, seq); err == nil {
				rows = append(rows, a)
			}
		}
		return Result(func() { l.matchedAgain(generation, rows) })
	}
}

func (l *Log) matchedAgain(generation int, rows []feed.Arrival) {
	l.doubting = false
	if generation != l.generation {
		return
	}
	for i := range rows {
		switch a := &rows[i]; {
		case a.Seq < l.oldest || a.Seq > l.newest: // not looked at yet
		case l.s.Filter.keepRow(l.s, a):
			l.matches.Add(a.Seq)
		default:
			l.matches.Remove(a.Seq)
		}
	}
}
