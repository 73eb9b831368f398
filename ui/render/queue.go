package render

import (
	"fmt"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// QueueLines is how many lines of h the queues may take below the log.
func QueueLines(queues []model.Queue, h int) int { return min(len(queues), h/4) }

// DrawQueues tells in a line for each how forwarding does; in the last of n, how
// many more there are.
func DrawQueues(sc *screen.Screen, queues []model.Queue, w, n int) []string {
	var lines []string
	for i := range n {
		l := draw.NewLine(sc.Theme, w).Space(2)
		if i == n-1 && n < len(queues) {
			l.Put(draw.Dim, fmt.Sprintf("and %d more handlers", len(queues)-i))
		} else {
			putQueue(sc, l, &queues[i])
		}
		lines = append(lines, l.String())
	}
	return lines
}

func putQueue(sc *screen.Screen, l *draw.Line, q *model.Queue) {
	l.Put(draw.Dim, "forwarding to ").Put(draw.Plain, sc.Shown(q.To)).Put(draw.Dim, ":")
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
	say(draw.Plain, q.InFlight, " in flight")
	retrying := " retrying"
	if wait := q.NextTry.Sub(sc.At); !q.NextTry.IsZero() && wait > 0 {
		retrying += " in " + words.Ago(wait)
	}
	say(draw.Warn, q.Retrying, retrying)
	say(draw.Bad, q.GaveUp, " given up")
	say(draw.Bad, q.Failed, " refused")
	say(draw.Good, q.Delivered, " delivered")
	if l.Free == before {
		l.Put(draw.Dim, " nothing yet")
	}
}
