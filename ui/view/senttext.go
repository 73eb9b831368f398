package view

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

// words tells in a few words what became of a message here.
func (h here) words() (string, draw.Role) {
	switch h.is {
	case hereReading:
		return draw.GlyphEllipsis, draw.Faint
	case hereComing:
		return "on its way", draw.Dim
	case hereArrived:
		return fmt.Sprintf("#%d verified", h.row.Seq), draw.Good
	case hereRefused:
		return "rejected here", draw.Bad
	case hereMissing:
		return "not received here", draw.Bad
	}
	return "not in journal", draw.Dim
}

// sentence is the long form of words.
func sentence(sc *screen.Screen, h here, sent time.Time) string {
	switch h.is {
	case hereReading:
		return "the journal is still being read"
	case hereComing:
		return "not received yet; it was sent a moment ago"
	case hereArrived:
		told := fmt.Sprintf("#%d, verified, received at %s", h.row.Seq, draw.Clock(h.at))
		if late := h.at.Sub(sent); !sent.IsZero() && late >= 0 {
			told += ", " + words.Tenths(late) + " after it was sent"
		}
		return told + "; press enter to open it"
	case hereRefused:
		told := "rejected at " + draw.Clock(h.at)
		if s := sc.Log.Status(h.row); s != nil && s.Rejected != nil {
			told += ": " + s.Rejected.Verdict.String()
		}
		return told + "; press enter to open it"
	case hereMissing:
		return "not received here; see the attempts for what Svix got"
	}
	if sent.IsZero() {
		return "not in this journal; Aspect does not say when it was sent"
	}
	return "not in this journal, which begins later"
}

// toldText is what was last written of a message, and of what.
type toldText struct {
	of struct {
		id      string
		changes int
		masked  bool
		here    here
	}
	doc *draw.Document
}

// text is all that is known of a message.
func (v *Deliveries) text(sc *screen.Screen, id string) *draw.Document {
	if i, listed := v.place[id]; listed {
		of := v.told.of
		of.id, of.changes, of.masked, of.here = id, v.sent.changes, sc.Masked, v.joined[i]
		if v.told.doc == nil || v.told.of != of {
			v.told.of, v.told.doc = of, v.write(sc, &v.sent.messages[i], of.here)
		}
	}
	if v.told.doc == nil || v.told.of.id != id { // gone from the list: what was shown stays
		v.told.of.id, v.told.doc = id, draw.TextDocument([]byte("Aspect no longer lists this message."))
	}
	return v.told.doc
}

func (v *Deliveries) write(sc *screen.Screen, msg *model.SentMessage, h here) *draw.Document {
	t := &draw.Document{Paint: paintSent}
	t.Add("message: "+words.OrNone(msg.ID), 0)
	t.Add("type: "+words.OrNone(msg.EventType), 0)
	t.Add("sent: "+draw.Stamp(msg.Time), 0)
	if sign, word, _ := statusWord(msg.Status); word != "" {
		t.Add("status: "+sign+" "+word, 0)
	}
	t.Add("here: "+sentence(sc, h, msg.Time), 0)
	t.Add("", 0)
	tries := v.sent.tries[msg.ID]
	switch {
	case tries == nil:
		t.Add("Attempts: asking Aspect "+draw.GlyphEllipsis, 0)
	case tries.failure != "":
		t.Add("Attempts: Aspect did not answer.", 0)
		t.Add("error: "+tries.failure, 0)
	case len(tries.attempts) == 0:
		t.Add("Attempts: none", 0)
	default:
		t.Add("Attempts", 0)
		for i := range tries.attempts {
			addAttempt(t, &tries.attempts[i], msg.Time, sc.Masked)
		}
	}
	t.Add("", 0)
	t.Add("The message as Aspect has it", 0)
	t.AddJSON(msg.Raw, sc.Masked)
	if tries == nil {
		return t
	}
	for i := range tries.attempts {
		t.Add("", 0)
		t.Add("Attempt as Aspect has it: "+words.OrNone(tries.attempts[i].ID), 0)
		t.AddJSON(tries.attempts[i].Raw, sc.Masked)
	}
	return t
}

// addAttempt tells of an attempt how it went, the response code, when (with the
// day, if that is not the one on which the message was sent) and where to.
func addAttempt(t *draw.Document, a *model.SentAttempt, sent time.Time, mask bool) {
	sign, word, _ := statusWord(a.Status)
	code := "no code"
	if a.ResponseCode != 0 {
		code = fmt.Sprint(a.ResponseCode)
	}
	if sign == " " {
		sign = model.UnknownState.Sign
	}
	at := a.Time.Local()
	when := draw.Clock(a.Time)
	if !a.Time.IsZero() && at.Format(time.DateOnly) != sent.Local().Format(time.DateOnly) {
		when = at.Format(time.DateTime)
	}
	t.Add(strings.TrimSpace(fmt.Sprintf("%s %-9s %-7s %s %s", sign, words.OrNone(word), code, when, a.EndpointID)), 0)
	switch {
	case mask && a.URL != "":
		t.Add("to: (hidden)", 1)
	case a.URL != "":
		t.Add("to: "+a.URL, 1)
	}
}

// paintSent paints the lines of write. Its own begin with a sign, with a capital
// or with a name, as no line of JSON does.
func paintSent(line []byte) []draw.Stretch {
	for _, status := range []string{"success", "pending", "fail", "sending", "canceled"} {
		if sign, word, r := statusWord(status); bytes.HasPrefix(line, []byte(sign)) {
			return []draw.Stretch{{To: min(len(line), len(sign)+1+len(word)), Role: r}}
		}
	}
	switch {
	case len(line) == 0:
		return nil
	case 'A' <= line[0] && line[0] <= 'Z':
		return []draw.Stretch{{To: len(line), Role: draw.Strong}}
	case 'a' <= line[0] && line[0] <= 'z' && bytes.Contains(line, []byte(": ")):
		return draw.PaintNamed(line)
	}
	return draw.PaintJSON(line)
}

// Preview draws the beginning of what is known of the selected message.
func (v *Deliveries) Preview(sc *screen.Screen, w, h int) []string {
	if v.key == "" {
		return nil
	}
	v.preview.Replace(v.text(sc, v.key))
	v.preview.ToTop()
	v.preview.Arrange(w, h)
	return v.preview.Draw(sc.Theme, w, h)
}
