package look

import (
	"bytes"
	"fmt"
	"slices"

	"aspectop/model"
	"aspectop/ui/draw"
)

// Outcome tells what a handler made of a message, and what to look at.
func Outcome(f *model.Forward) string {
	told := f.Error
	switch {
	case f.Delivered() && f.Status != 0:
		told = fmt.Sprintf("%d in %d ms", f.Status, f.Latency.Milliseconds())
	case f.Status != 0:
		told += fmt.Sprintf(" in %d ms", f.Latency.Milliseconds())
	}
	if f.Resigned {
		told += ", re-signed"
	}
	switch {
	case f.GaveUp:
		told += fmt.Sprintf(", given up after %d tries", f.Tries)
	case f.Tries > 1:
		told += fmt.Sprintf(", try %d", f.Tries)
	}
	if f.Hint != "" {
		told += "; " + f.Hint
	}
	return told
}

// WithAnswer is what is kept of a delivery's outcomes, with that of a replay,
// which is not kept, in the place of an older one.
func WithAnswer(outcomes []model.Forward, answer *model.Forward, seq int64) []model.Forward {
	if answer == nil || answer.Seq != seq {
		return outcomes
	}
	outcomes = slices.DeleteFunc(outcomes, func(f model.Forward) bool { return f.To == answer.To && f.At.Before(answer.At) })
	return append(outcomes, *answer)
}

// AddOutcomes lists what the user's handlers answered.
func AddOutcomes(t *draw.Document, outcomes []model.Forward, hide bool) {
	for i := range outcomes {
		f := &outcomes[i]
		to := f.To
		if hide {
			to = "(hidden)"
		}
		t.Add("", 0)
		t.Add("handler: "+to, 0)
		t.Add("asked: "+draw.Stamp(f.At), 0)
		t.Add("outcome: "+Outcome(f), 0)
		switch {
		case f.Status == 0:
		case len(f.Body) == 0:
			t.Add("answer: (empty, or not kept)", 0)
		case hide:
			t.Add("answer: (hidden)", 0)
		case !draw.Readable(f.Body):
			t.Add(fmt.Sprintf("answer: (%d bytes, not text)", len(f.Body)), 0)
		default:
			t.Add(fmt.Sprintf("answer: %d bytes", len(f.Body)), 0)
			for line := range bytes.Lines(f.Body) {
				t.Add(string(bytes.TrimRight(line, "\r\n")), 1)
			}
		}
	}
}
