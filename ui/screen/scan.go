package screen

import (
	tea "charm.land/bubbletea/v2"

	"aspectop/feed"
)

// Looking reports whether there are deliveries that were folded and not yet held
// against the filter.
func (l *Log) Looking() bool {
	return l.filtered && (l.oldest > l.s.Feed.Oldest() || l.newest < l.s.seen())
}

// scannedMsg brings deliveries to be matched against the filter.
type scannedMsg struct {
	generation int
	newer      bool  // than all that were; otherwise older, newest first
	upTo       int64 // the newest that had been folded before they were read
	arrivals   []feed.Arrival
	err        error
}

// scan reads what came and is no longer at hand, then goes on towards the oldest
// delivery that was folded.
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
		return scannedMsg{generation, newer, upTo, arrivals, err}
	}
}

func (l *Log) scanned(msg scannedMsg) tea.Cmd {
	l.scanning = false
	if msg.generation != l.generation {
		return nil
	}
	l.trouble = ""
	if msg.err != nil {
		l.trouble = "cannot search the journal: " + msg.err.Error()
		l.paused = true
		return retry(func() {
			if msg.generation == l.generation {
				l.paused = false // the scan goes on after any message
			}
		})
	}
	// What is not folded yet is not looked at.
	oldest, seen := l.s.Feed.Oldest(), l.s.seen()
	for i := range msg.arrivals {
		switch a := &msg.arrivals[i]; {
		case msg.newer && a.Seq > l.newest && a.Seq <= seen:
			l.match(a)
			l.newest = a.Seq
		case !msg.newer && a.Seq < l.oldest && a.Seq >= oldest:
			l.match(a)
			l.oldest = a.Seq
		}
	}
	if n := len(msg.arrivals); n < feed.FullBatch { // numbers that are left were removed
		if msg.newer {
			l.newest = max(l.newest, msg.upTo)
		} else {
			l.oldest = min(l.oldest, oldest)
		}
	} else if last := msg.arrivals[n-1].Seq; !msg.newer && last < oldest {
		l.oldest = oldest
	}
	return nil
}
