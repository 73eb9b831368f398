package printer

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/jsonl"
	"aspectop/model"
	"aspectop/words"
)

// writeLine writes a line of a command that does not follow a journal: as JSON with the
// members, or as a sentence. A closed pipe is not an error.
func writeLine(out io.Writer, f Format, kind string, at time.Time, members func(*jsonl.Object), sentence string) error {
	var buf bytes.Buffer
	if f == JSON {
		lines := jsonLines{&buf}
		lines.put(kind, at, members)
	} else {
		buf.WriteString(clean.Text(sentence) + "\n")
	}
	return WriteAll(out, buf.Bytes())
}

// WriteResult writes the result of waiting for a task.
func WriteResult(out io.Writer, f Format, at time.Time, r model.Outcome) error {
	return writeLine(out, f, "result", at, func(o *jsonl.Object) {
		o.Text("task_id", r.TaskID)
		o.TextOrNull("state", string(r.State))
		o.Bool("done", r.Done)
	}, resultSentence(r))
}

func resultSentence(r model.Outcome) string {
	name := "task " + words.ID(r.TaskID) + ":"
	if r.Feature != "" {
		name += " " + words.Name(r.Feature)
	}
	switch {
	case r.Done:
		return name + " " + words.Name(string(r.State))
	case r.State == "" && r.Task != "":
		return fmt.Sprintf("task %s: not done, the task is %s and has no feature %s", words.ID(r.TaskID), words.Name(string(r.Task)), words.Name(r.Feature))
	case r.State == "":
		return name + " not done, no state known"
	}
	return name + " not done, still " + words.Name(string(r.State))
}

// Judged is what was found out about a saved request.
type Judged struct {
	Place   string    // in the file
	At      time.Time // when it was judged for
	When    string    // received or now
	ID      string    // as claimed
	Verdict model.Verdict
	Problem string // why it could not be judged, "" if it could
}

// WriteJudged writes the verdict on a saved request.
func WriteJudged(out io.Writer, f Format, j Judged) error {
	v, result := j.Verdict, "rejected"
	switch {
	case j.Problem != "":
		result, v.Detail = "unjudged", j.Problem
	case v.OK():
		result, v.Detail = "verified", words.Source(model.SourceWebhook, v.Secret)
	}
	rejected := &model.Rejected{ID: j.ID, Verdict: v}
	sentence := j.Place + ": " + words.Rejected(rejected, false).String()
	if j.ID != "" {
		sentence += "; message " + words.Name(j.ID)
	}
	if j.Problem == "" {
		sentence += map[string]string{"received": "; judged for " + j.At.UTC().Format(time.RFC3339) + ", when it was received", "now": "; judged for now"}[j.When]
	}
	return writeLine(out, f, "verdict", j.At, func(o *jsonl.Object) {
		o.Text("place", j.Place)
		o.Text("at", j.When)
		o.Text("result", result)
		o.TextOrNull("secret", v.Secret)
		putRejected(o, rejected)
	}, sentence)
}

// Sent is one attempt to deliver a message, and its result.
type Sent struct {
	At             time.Time
	ID, Type, Task string // Task is "" if the message is not about one
	To             string
	Break          string // what was deliberately wrong, "" if nothing
	Status         int    // of the answer, 0 if none
	Answer         string // what it says itself
	Without        string // the header that was left out, "" if none
	Fault, Hint    string // how its body ended if not as it should; what to look at
	Took           time.Duration
	Err            error // why there was no answer
	Right          bool  // the answer is as expected
}

// WriteSent writes the result of an attempt.
func WriteSent(out io.Writer, f Format, s Sent) error {
	return writeLine(out, f, "sent", s.At, func(o *jsonl.Object) {
		o.Text("id", s.ID)
		o.TextOrNull("event_type", s.Type)
		o.TextOrNull("task_id", s.Task)
		o.Text("to", s.To)
		o.TextOrNull("break", s.Break)
		if s.Err != nil {
			o.Null("status")
			o.Null("ms")
			o.Null("answer")
			o.Text("error", s.Err.Error())
		} else {
			o.Number("status", int64(s.Status))
			o.Number("ms", s.Took.Milliseconds())
			o.TextOrNull("answer", s.Answer)
			o.Null("error")
		}
		o.TextOrNull("hint", s.Hint)
		o.Bool("right", s.Right)
	}, sentSentence(s))
}

func sentSentence(s Sent) string {
	sentence := "sent " + words.Name(s.Type)
	if s.Task != "" {
		sentence += " of task " + words.Name(s.Task)
	}
	sentence += " as " + words.Name(s.ID)
	if s.Break != "" {
		wrong := map[string]string{
			"body": ", its body altered", "timestamp": ", ten minutes old", "future": ", ten minutes ahead", "secret": ", signed with another secret",
			"headers": ", without " + strings.ToLower(s.Without), "malformed": ", its signature malformed",
		}
		sentence += cmp.Or(wrong[s.Break], ", its "+s.Break+" wrong")
	}
	if s.Err != nil {
		return sentence + ": no answer"
	}
	sentence += fmt.Sprintf(": answered %d after %d ms", s.Status, s.Took.Milliseconds())
	if s.Answer != "" && s.Status/100 != 2 {
		sentence += fmt.Sprintf(" (%s)", clean.Cut(s.Answer, 160))
	}
	if s.Fault != "" {
		sentence += "; " + s.Fault
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

// WriteReplayed writes the result of posting a stored delivery again.
func WriteReplayed(out io.Writer, format Format, e *model.Event, f *model.Forward) error {
	sentence := fmt.Sprintf("%s: %s", nameOf(e), words.Forward(f, false))
	return writeLine(out, format, "forward", f.At.Add(f.Latency), func(o *jsonl.Object) { putForward(o, f) }, sentence)
}

// WritePlanned writes a stored delivery that would be posted again.
func WritePlanned(out io.Writer, format Format, at time.Time, e *model.Event, to string, resigned bool) error {
	sentence := fmt.Sprintf("%s, received %s: would be posted", nameOf(e), e.Received.In(at.Location()).Format(time.DateTime))
	if resigned {
		sentence += ", re-signed"
	}
	return writeLine(out, format, "planned", at, func(o *jsonl.Object) {
		o.Number("seq", e.Seq)
		o.Text("id", e.ID)
		o.TextOrNull("event_type", e.Type)
		task := ""
		if e.Task != nil {
			task = e.Task.ID
		}
		o.TextOrNull("task_id", task)
		o.Time("received", e.Received)
		o.Text("to", to)
		o.Bool("resigned", resigned)
	}, sentence)
}

// Replayed counts what a replay did with the selected deliveries.
type Replayed struct {
	Selected  int64 // could be posted; more than Posted if the replay stopped early
	Posted    int64
	Delivered int64 // accepted by the handler
	LeftOut   int64 // cannot be posted
}

// WriteReplayEnd writes the last line of a replay.
func WriteReplayEnd(out io.Writer, format Format, at time.Time, to string, r Replayed) error {
	return writeLine(out, format, "summary", at, func(o *jsonl.Object) {
		o.Text("to", to)
		o.Number("posted", r.Posted)
		o.Number("delivered", r.Delivered)
		o.Number("failed", r.Posted-r.Delivered)
		o.Number("left_out", r.LeftOut)
	}, replayedSentence(to, r))
}

func replayedSentence(to string, r Replayed) string {
	posted := fmt.Sprintf("posted %d", r.Posted)
	if r.Posted < r.Selected {
		posted = fmt.Sprintf("stopped after %d of %d", r.Posted, r.Selected)
	}
	return fmt.Sprintf("%s to %s: %d accepted, %d failed", posted, to, r.Delivered, r.Posted-r.Delivered)
}

func nameOf(e *model.Event) string {
	name := fmt.Sprintf("#%d %s", e.Seq, words.Name(e.Type))
	if e.Task != nil {
		name += " of task " + words.ID(e.Task.ID)
	}
	return name
}
