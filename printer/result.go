package printer

import (
	"bytes"
	"io"
	"time"

	"aspectop/model"
)

// WriteResult writes one line to out about a task that somebody waited for: a sentence,
// or a result line. That nobody reads it any more is no error.
func WriteResult(out io.Writer, f Format, at time.Time, r model.Outcome) error {
	var buf bytes.Buffer
	if f == JSON {
		j := &jsonLines{&buf}
		o := j.line("result", at)
		o.text("task_id", r.TaskID)
		o.textOrNull("state", string(r.State))
		o.truth("done", r.Done)
		j.finish(o)
	} else {
		buf.WriteString(Clean(resultSentence(r)) + "\n")
	}
	return writeOnce(out, &buf)
}

func resultSentence(r model.Outcome) string {
	name := "task " + short(r.TaskID) + ":"
	if r.Feature != "" {
		name += " " + word(r.Feature)
	}
	switch {
	case r.Done:
		return name + " " + word(string(r.State))
	case r.State == "":
		return name + " not done, no events received"
	}
	return name + " not done, still " + word(string(r.State))
}
