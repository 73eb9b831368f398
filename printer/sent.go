package printer

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// Sent is one attempt to deliver a message, and what came of it.
type Sent struct {
	At             time.Time
	ID, Type, Task string // Task is "" if the message tells of none
	To             string
	Break          string // how it was wrong on purpose, "" if it was right
	Status         int    // of the answer, 0 if there was none
	Answer         string // the start of its body
	Took           time.Duration
	Err            error // why there was no answer
	Right          bool  // the answer is what it should be
}

// WriteSent writes one line about the attempt to out: a sentence, or a sent
// line. That nobody reads it any more is no error.
func WriteSent(out io.Writer, f Format, s Sent) error {
	var buf bytes.Buffer
	if f == JSON {
		(&jsonLines{&buf}).sent(s)
	} else {
		buf.WriteString(Clean(sentSentence(s)) + "\n")
	}
	return writeOnce(out, &buf)
}

func (j *jsonLines) sent(s Sent) {
	o := j.line("sent", s.At)
	o.text("id", s.ID)
	o.textOrNull("event_type", s.Type)
	o.textOrNull("task_id", s.Task)
	o.text("to", s.To)
	o.textOrNull("break", s.Break)
	if s.Err != nil {
		o.null("status")
		o.null("ms")
		o.null("answer")
		o.text("error", s.Err.Error())
	} else {
		o.number("status", int64(s.Status))
		o.number("ms", s.Took.Milliseconds())
		o.textOrNull("answer", s.Answer)
		o.null("error")
	}
	o.truth("right", s.Right)
	j.finish(o)
}

func sentSentence(s Sent) string {
	sentence := "sent " + word(s.Type)
	if s.Task != "" {
		sentence += " of task " + word(s.Task)
	}
	sentence += " as " + word(s.ID)
	switch s.Break {
	case "":
	case "body":
		sentence += ", its body altered"
	case "timestamp":
		sentence += ", ten minutes old"
	case "secret":
		sentence += ", signed with another secret"
	default:
		sentence += ", its " + s.Break + " wrong"
	}
	if s.Err != nil {
		return sentence + ": no answer"
	}
	sentence += fmt.Sprintf(": answered %d after %d ms", s.Status, s.Took.Milliseconds())
	if s.Answer != "" && s.Status/100 != 2 {
		sentence += fmt.Sprintf(" (%s)", word(s.Answer))
	}
	switch {
	case s.Break == "":
	case s.Right:
		sentence += "; rejected, as expected"
	case s.Status/100 == 2:
		sentence += "; accepted, but should have been rejected"
	default:
		sentence += "; not a rejection"
	}
	return sentence
}
