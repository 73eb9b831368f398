package render

import (
	"bytes"
	"fmt"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/words"
)

// AddOutcomes lists what the user's handlers answered.
func AddOutcomes(t *draw.Document, outcomes []model.Forward, mask bool) {
	for i := range outcomes {
		f := &outcomes[i]
		to := f.To
		if mask {
			to = "(hidden)"
		}
		t.Add("", 0)
		t.Add("handler: "+to, 0)
		t.Add("asked: "+draw.Stamp(f.At), 0)
		t.Add("outcome: "+words.Forward(f, mask).String(), 0)
		switch {
		case f.Status == 0:
		case len(f.Body) == 0:
			t.Add("answer: (empty, or not kept)", 0)
		case mask:
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
