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
		return Result(func() { l.scanned(generation, newer, upTo, arrivals, err) })
	}
}

// scanned matches deliveries that were read for a filter of that generation: newer than
// all that were matched, which was complete up to a number, or older, newest first.
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
