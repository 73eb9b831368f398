package ui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// maxRows is how many decoded rows of the event log are kept at hand.
const maxRows = 4000

// unread says of a row of the event log why it cannot be shown.
type unread struct {
	why     string
	removed bool // no longer in the journal: reading again is of no use
	tried   bool // not to be tried again yet
}

// cache keeps decoded rows at hand. When there are too many it begins anew, with
// those in sight: a reader who stands still must not see them go.
func (l *eventLog) cache(m *Model, arrivals []arrival) {
	if l.rows == nil || len(l.rows)+len(arrivals) > maxRows {
		old := l.rows
		l.rows = make(map[int64]*arrival, maxRows)
		for _, seq := range m.inSight() {
			if a := old[seq]; a != nil {
				l.rows[seq] = a
			}
		}
	}
	for i := range arrivals {
		a := arrivals[i] // a copy: the batch it came in is let go
		l.rows[a.Seq] = &a
	}
}

// windowMsg brings rows that came into sight.
type windowMsg struct {
	arrivals []arrival
	unread   map[int64]unread
}

// need reads the rows that are in sight and not at hand, and goes on with the
// scan for the filter.
func (l *eventLog) need(m *Model) tea.Cmd {
	return tea.Batch(l.window(m), l.scan(m))
}

func (l *eventLog) window(m *Model) tea.Cmd {
	if l.reading {
		return nil
	}
	var missing []int64
	for _, seq := range m.inSight() {
		if u := l.unread[seq]; l.rows[seq] == nil && !u.removed && !u.tried {
			missing = append(missing, seq)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	l.reading = true
	return func() tea.Msg {
		var msg windowMsg
		for _, seq := range missing {
			d, err := m.opt.Journal.Get(m.ctx, seq)
			switch {
			case m.ctx.Err() != nil:
				return nil
			case err == nil:
				msg.arrivals = append(msg.arrivals, m.decode(&d))
				continue
			case msg.unread == nil:
				msg.unread = map[int64]unread{}
			}
			msg.unread[seq] = m.whyUnread(seq, err)
		}
		return msg
	}
}

// whyUnread tells a delivery that was removed since its row was listed from one
// that cannot be read just now.
func (m *Model) whyUnread(seq int64, err error) unread {
	if first, last, rangeErr := m.opt.Journal.Range(m.ctx); rangeErr == nil && (seq < first || last == 0) {
		return unread{why: fmt.Sprintf("#%d is no longer in the journal (--retain)", seq), removed: true}
	}
	return unread{why: fmt.Sprintf("#%d cannot be read: %v", seq, err), tried: true}
}

func (l *eventLog) windowRead(m *Model, msg windowMsg) tea.Cmd {
	l.reading = false
	l.cache(m, msg.arrivals)
	for i := range msg.arrivals {
		delete(l.unread, msg.arrivals[i].Seq)
	}
	if l.unread == nil || len(l.unread) > maxRows {
		l.unread = map[int64]unread{}
	}
	failed := false
	for seq, u := range msg.unread {
		l.unread[seq] = u
		failed = failed || u.tried
	}
	if !failed {
		return nil
	}
	return retry(func() tea.Cmd {
		for seq, u := range l.unread {
			u.tried = false
			l.unread[seq] = u
		}
		return nil // what is still in sight is read again like any other row
	})
}
