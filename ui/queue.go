package ui

import (
	"fmt"
	"time"

	"aspectop/ui/draw"
)

// Queue is how the forwarding to one of the user's handlers does.
type Queue struct {
	To string // the handler's URL without credentials

	Waiting  int // for their first try
	InFlight int
	Retrying int       // tried in vain, and to be tried again
	NextTry  time.Time // the earliest of those; zero if there are none
	More     bool      // there are further messages that were not looked at yet

	// What became of messages in this run.
	Delivered, Failed, GaveUp int
}

// queueLines is how many lines of h the queues may take below the log.
func queueLines(queues []Queue, h int) int { return min(len(queues), h/4) }

// drawQueues tells in a line for each how forwarding does; in the last of n, how
// many more there are.
func (m *Model) drawQueues(queues []Queue, w, n int) []string {
	var lines []string
	for i := range n {
		l := draw.NewLine(m.th, w).Space(2)
		if i == n-1 && n < len(queues) {
			l.Put(draw.Dim, fmt.Sprintf("and %d more handlers", len(queues)-i))
		} else {
			m.putQueue(l, &queues[i])
		}
		lines = append(lines, l.String())
	}
	return lines
}

func (m *Model) putQueue(l *draw.Line, q *Queue) {
	l.Put(draw.Dim, "forwarding to ").Put(draw.Plain, m.shown(q.To)).Put(draw.Dim, ":")
	before := l.Free
	say := func(r draw.Role, n int, words string) {
		if n == 0 {
			return
		}
		if l.Free < before {
			l.Put(draw.Dim, ",")
		}
		l.Put(r, fmt.Sprintf(" %d%s", n, words))
	}
	more := ""
	if q.More {
		more = " or more"
	}
	say(draw.Plain, q.Waiting, more+" waiting")
	say(draw.Plain, q.InFlight, " under way")
	retrying := " retrying"
	if wait := q.NextTry.Sub(m.at); !q.NextTry.IsZero() && wait > 0 {
		retrying += " in " + draw.Ago(wait)
	}
	say(draw.Warn, q.Retrying, retrying)
	say(draw.Bad, q.GaveUp, " gave up")
	say(draw.Bad, q.Failed, " refused")
	say(draw.Good, q.Delivered, " delivered")
	if l.Free == before {
		l.Put(draw.Dim, " nothing yet")
	}
}
