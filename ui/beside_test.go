package ui

import (
	"context"
	"strings"
	"testing"
	"time"

	"aspectop/model"
	"aspectop/ui/screen"
)

// counted counts what is read of a journal.
type counted struct {
	screen.Journal
	reads int
}

func (j *counted) Forwards(ctx context.Context, seq int64) ([]model.Forward, error) {
	j.reads++
	return j.Journal.Forwards(ctx, seq)
}

func TestTheSelectionStandsBelowAListThatLeavesEightLines(t *testing.T) {
	opened(t, 120, 30, uploads(), nil, func(s *terminal) {
		s.shows("Last events", "── "+taskID(5)[:8])
		for n := 10; n < 40; n++ { // the list grows until it needs the lines
			s.deliver(event(n, "task.progress", time.Minute, "proxy=queued"))
			rows := strings.Count(s.frame(), " 2e1c7e") - strings.Count(s.frame(), "── 2e1c7e")
			below := strings.Contains(s.frame(), "Last events")
			if n := s.m.Board.Len(); n <= 25 && rows < n || below != (n <= 25-8) {
				t.Fatalf("%d of %d tasks on 25 lines, the selection below: %v:\n%s", rows, n, below, s.frame())
			}
		}
	})
}

func TestTheSelectionsAnswersCostOneReadAfterAWhile(t *testing.T) {
	j := &counted{}
	opened(t, 120, 30, uploads(), nil, func(s *terminal) {
		s.journal.SaveForward(model.Forward{Seq: 11, To: "http://127.0.0.1:9/", Status: 500, Error: "answered 500", Tries: 1, Answer: "no such table"})
		s.wait(time.Second)
		before := j.reads
		s.press("j", "j", "j") // passed by
		s.wait(100 * time.Millisecond)
		if j.reads != before {
			t.Errorf("%d reads for rows that are passed by", j.reads-before)
		}
		s.wait(2 * time.Second)
		if j.reads != before+1 {
			t.Errorf("%d reads for a selection", j.reads-before)
		}
		s.hides("no such tab")
		s.press("g")
		s.wait(time.Second)
		s.shows("orders answered 500", "no such tab")
	}, func(o *options) {
		j.Journal = o.Journal
		o.Journal = j
		o.Queues = func() []model.Queue { return []model.Queue{{To: "http://127.0.0.1:9/", Name: "orders"}} }
	})
}
