package printer

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"aspectop/model"
)

// WriteReplayed writes one line to out about a kept delivery that was posted
// again: a sentence, or a forward line. That nobody reads it any more is no
// error.
func WriteReplayed(out io.Writer, format Format, e *model.Event, f *model.Forward) error {
	var buf bytes.Buffer
	if format == JSON {
		(&jsonLines{&buf}).forward(f.At.Add(f.Latency), f)
		return writeOnce(out, &buf)
	}
	sentence := messageWords(e)
	if f.Resigned {
		sentence += ", re-signed"
	}
	if f.Delivered() {
		sentence += fmt.Sprintf(": answered %d in %d ms", f.Status, f.Latency.Milliseconds())
	} else {
		sentence += ": " + f.Error
	}
	if f.Hint != "" {
		sentence += "; " + f.Hint
	}
	buf.WriteString(Clean(sentence) + "\n")
	return writeOnce(out, &buf)
}

// WritePlanned writes one line to out about a kept delivery that would be posted
// to a URL: a sentence, or a planned line.
func WritePlanned(out io.Writer, format Format, at time.Time, e *model.Event, to string, resigned bool) error {
	var buf bytes.Buffer
	if format == JSON {
		j := &jsonLines{&buf}
		o := j.line("planned", at)
		o.number("seq", e.Seq)
		o.text("id", e.ID)
		o.textOrNull("event_type", e.Type)
		if e.Task == nil {
			o.null("task_id")
		} else {
			o.text("task_id", e.Task.ID)
		}
		o.instant("received", e.Received)
		o.text("to", to)
		o.truth("resigned", resigned)
		j.finish(o)
		return writeOnce(out, &buf)
	}
	sentence := fmt.Sprintf("%s, received %s: would be posted", messageWords(e), e.Received.In(at.Location()).Format(time.DateTime))
	if resigned {
		sentence += ", re-signed"
	}
	buf.WriteString(Clean(sentence) + "\n")
	return writeOnce(out, &buf)
}

// Replayed counts what a replay did with the deliveries that were picked.
type Replayed struct {
	Posted    int64
	Delivered int64 // of those, how many the handler took
	LeftOut   int64 // cannot be posted
}

// WriteReplayEnd writes the last line of a replay to out: a sentence, or a
// summary line.
func WriteReplayEnd(out io.Writer, format Format, at time.Time, to string, r Replayed) error {
	var buf bytes.Buffer
	if format == JSON {
		j := &jsonLines{&buf}
		o := j.line("summary", at)
		o.text("to", to)
		o.number("posted", r.Posted)
		o.number("delivered", r.Delivered)
		o.number("failed", r.Posted-r.Delivered)
		o.number("left_out", r.LeftOut)
		j.finish(o)
		return writeOnce(out, &buf)
	}
	sentence := fmt.Sprintf("posted %d to %s: %d delivered, %d failed", r.Posted, to, r.Delivered, r.Posted-r.Delivered)
	buf.WriteString(Clean(sentence) + "\n")
	return writeOnce(out, &buf)
}

// messageWords names a message and what it tells of.
func messageWords(e *model.Event) string {
	words := fmt.Sprintf("#%d %s", e.Seq, word(e.Type))
	if e.Task != nil {
		words += " of task " + short(e.Task.ID)
	}
	return words
}
