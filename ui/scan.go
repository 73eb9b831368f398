package ui

import tea "charm.land/bubbletea/v2"

// refilter begins anew with the filter that is set now.
func (l *eventLog) refilter(m *Model) {
	l.generation++
	l.matches, l.matchedNotes, l.matchedPace = logIndex{}, nil, newPace()
	l.paused = false
	m.setTrouble(scanning, nil)
	if l.filtered = m.filter.active() || !m.opt.Since.IsZero(); !l.filtered {
		return
	}
	for i := range l.notes {
		if m.filter.keepNote(m, &l.notes[i]) {
			l.matchedNotes = append(l.matchedNotes, l.notes[i])
		}
	}
	l.scanned = m.seen + 1
}

// looking reports whether there are deliveries left that were folded and not
// yet held against the filter.
func (l *eventLog) looking(m *Model) bool { return l.filtered && l.scanned > m.oldest }

// scannedMsg brings deliveries to be held against the filter, newest first.
type scannedMsg struct {
	generation int
	arrivals   []arrival
	err        error
}

// scan reads on towards the oldest delivery that was folded; whatever is folded
// later is looked at then.
func (l *eventLog) scan(m *Model) tea.Cmd {
	if l.scanning || l.paused || !l.looking(m) {
		return nil
	}
	l.scanning = true
	generation, before := l.generation, l.scanned
	return func() tea.Msg {
		arrivals, err := m.read(before, m.opt.Feed.Before)
		if m.ctx.Err() != nil {
			return nil
		}
		return scannedMsg{generation, arrivals, err}
	}
}

func (l *eventLog) scannedOn(m *Model, msg scannedMsg) tea.Cmd {
	l.scanning = false
	if msg.generation != l.generation {
		return nil
	}
	m.setTrouble(scanning, msg.err)
	if msg.err != nil {
		l.paused = true
		return retry(func() tea.Cmd {
			if msg.generation == l.generation {
				l.paused = false
			}
			return nil // the scan goes on after any message
		})
	}
	for i := range msg.arrivals {
		a := &msg.arrivals[i]
		if a.Seq < m.oldest { // not folded yet
			break
		}
		if m.filter.keepRow(m, a) {
			l.matches.add(a.Seq)
			l.matchedPace.add(a.Received)
		}
		l.scanned = a.Seq
	}
	if n := len(msg.arrivals); n == 0 || msg.arrivals[n-1].Seq < m.oldest {
		l.scanned = m.oldest
	}
	m.tell(change{})
	return nil
}
