package screen

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
)

// maxRows is how many decoded rows of the event log a screen keeps at hand,
// beside those that the feed has.
const maxRows = 600

// retryTime is how long to wait after the journal could not be read.
const retryTime = time.Second

// rows are the decoded rows of the event log that were read because they came
// into sight.
type rows struct {
	read    map[int64]*feed.Arrival
	unread  map[int64]Unread // could not be read
	reading bool             // some are on their way
}

// Unread says of a row of the event log why it cannot be shown.
type Unread struct {
	Why     string
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

// Unread says why a row is not at hand, if it was tried to read it.
func (l *Log) Unread(seq int64) (u Unread, failed bool) {
	u, failed = l.rows.unread[seq]
	return u, failed
}

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

// readRows reads the rows in sight that are not at hand. Rows that only the feed
// has are cached too, because it drops them.
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
		unread := map[int64]Unread{}
		for _, seq := range missing {
			a, err := s.Feed.Row(s.Ctx, seq)
			switch {
			case s.Ctx.Err() != nil:
				return nil
			case err == nil:
				arrivals = append(arrivals, a)
			default:
				unread[seq] = s.whyUnread(seq, err)
			}
		}
		return Result(func() { l.rowsRead(arrivals, unread) })
	}
}

// whyUnread tells a delivery that was removed since its row was listed from one
// that cannot be read just now.
func (s *Screen) whyUnread(seq int64, err error) Unread {
	if first, last, rangeErr := s.Feed.Range(s.Ctx); rangeErr == nil && (seq < first || last == 0) {
		return Unread{Why: fmt.Sprintf("#%d is no longer in the journal (--retain)", seq), removed: true}
	}
	return Unread{Why: fmt.Sprintf("#%d cannot be read: %v", seq, err), tried: true}
}

func (l *Log) rowsRead(arrivals []feed.Arrival, unread map[int64]Unread) {
	r := &l.rows
	r.reading = false
	r.hold(arrivals, l.inSight)
	for i := range arrivals {
		delete(r.unread, arrivals[i].Seq)
	}
	if r.unread == nil || len(r.unread) > maxRows {
		r.unread = map[int64]Unread{}
	}
	failed := false
	for seq, u := range unread {
		r.unread[seq] = u
		failed = failed || u.tried
	}
	if failed {
		l.retry(func() {
			for seq, u := range r.unread {
				u.tried = false
				r.unread[seq] = u
			}
		})
	}
}

// retry does something a moment later.
func (l *Log) retry(again Result) {
	l.s.Later(tea.Tick(retryTime, func(time.Time) tea.Msg { return again }))
}
