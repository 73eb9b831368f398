package ui

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// words tells in a few words what became of a message here.
func (h here) words() (string, role) {
	switch h.is {
	case hereReading:
		return glyphEllipsis, faint
	case hereComing:
		return "on its way", dim
	case hereArrived:
		return fmt.Sprintf("#%d verified", h.row.seq), good
	case hereRefused:
		return "refused here", bad
	case hereMissing:
		return "not received here", bad
	}
	return "not kept here", dim
}

// sentence tells the same to somebody who wants to know more.
func (m *Model) sentence(h here, sent time.Time) string {
	switch h.is {
	case hereReading:
		return "the journal is still being read"
	case hereComing:
		return "not yet received; it was sent a moment ago"
	case hereArrived:
		told := fmt.Sprintf("#%d, verified, received at %s", h.row.seq, clock(h.at))
		if late := h.at.Sub(sent); !sent.IsZero() && late >= 0 {
			told += ", " + tenths(late) + " after it was sent"
		}
		return told + "; enter opens it"
	case hereRefused:
		told := "refused at " + clock(h.at)
		if s := m.log.status(h.row); s != nil && s.Rejected != nil {
			told += ": " + s.Rejected.Verdict.String()
		}
		return told + "; enter opens it"
	case hereMissing:
		return "not received here; the attempts tell what Svix met"
	}
	if sent.IsZero() {
		return "not kept here; Aspect does not tell when it was sent"
	}
	return "not kept here; it was sent before anything that is known here"
}

// toldText is what was last written of a message, and of what.
type toldText struct {
	of struct {
		id      string
		changes int
		hidden  bool
		here    here
	}
	doc *document
}

// text is all that is known of a message.
func (v *deliveriesView) text(m *Model, id string) *document {
	for i := range v.sent.messages {
		if msg := &v.sent.messages[i]; msg.ID == id {
			of := v.told.of
			of.id, of.changes, of.hidden, of.here = id, v.sent.changes, m.hidden, v.joined[i]
			if v.told.doc == nil || v.told.of != of {
				v.told.of, v.told.doc = of, v.write(m, msg, of.here)
			}
			break
		}
	}
	if v.told.doc == nil || v.told.of.id != id { // gone from the list: what was shown stays
		v.told.of.id, v.told.doc = id, plainDocument([]byte("Aspect no longer tells of this message."))
	}
	return v.told.doc
}

func (v *deliveriesView) write(m *Model, msg *SentMessage, h here) *document {
	t := &document{paint: paintSent}
	t.add("message: "+orNone(msg.ID), 0)
	t.add("type: "+orNone(msg.EventType), 0)
	t.add("sent: "+stamp(msg.Time), 0)
	if sign, word, _ := statusWord(msg.Status); word != "" {
		t.add("status: "+sign+" "+word, 0)
	}
	t.add("here: "+m.sentence(h, msg.Time), 0)
	t.add("", 0)
	tries := v.sent.tries[msg.ID]
	switch {
	case tries == nil:
		t.add("Attempts to deliver it: asking Aspect "+glyphEllipsis, 0)
	case tries.failure != "":
		t.add("Attempts to deliver it: Aspect did not tell.", 0)
		t.add("error: "+tries.failure, 0)
	case len(tries.attempts) == 0:
		t.add("Attempts to deliver it: Aspect tells of none.", 0)
	default:
		t.add("Attempts to deliver it", 0)
		for i := range tries.attempts {
			t.addAttempt(&tries.attempts[i], msg.Time, m.hidden)
		}
	}
	t.add("", 0)
	t.add("What Aspect tells of the message", 0)
	t.addJSON(msg.Raw, m.hidden)
	if tries == nil {
		return t
	}
	for i := range tries.attempts {
		t.add("", 0)
		t.add("What Aspect tells of attempt "+orNone(tries.attempts[i].ID), 0)
		t.addJSON(tries.attempts[i].Raw, m.hidden)
	}
	return t
}

// addAttempt tells of an attempt how it went, the response code, when (with the
// day, if that is not the one on which the message was sent) and where to.
func (t *document) addAttempt(a *SentAttempt, sent time.Time, hide bool) {
	sign, word, _ := statusWord(a.Status)
	code := "no code"
	if a.ResponseCode != 0 {
		code = fmt.Sprint(a.ResponseCode)
	}
	if sign == " " {
		sign = glyphUnknown
	}
	at := a.Time.Local()
	when := clock(a.Time)
	if !a.Time.IsZero() && at.Format(time.DateOnly) != sent.Local().Format(time.DateOnly) {
		when = at.Format(time.DateTime)
	}
	t.add(strings.TrimSpace(fmt.Sprintf("%s %-9s %-7s %s %s", sign, orNone(word), code, when, a.EndpointID)), 0)
	switch {
	case hide && a.URL != "":
		t.add("to: (hidden)", 1)
	case a.URL != "":
		t.add("to: "+a.URL, 1)
	}
}

// stamp is a moment to the millisecond, in the local zone.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "at a time that is not told"
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}

// addJSON appends JSON, laid out.
func (t *document) addJSON(raw []byte, hide bool) {
	laid, ok := jsonDocument(raw, hide)
	if !ok {
		t.add("(no JSON)", 0)
		return
	}
	for i, l := range laid.lines {
		t.add(string(laid.b[l.from:laid.end(i)]), int(l.depth))
	}
}

// paintSent paints the lines of write. Its own begin with a sign, with a capital
// or with a name, as no line of JSON does.
func paintSent(line []byte) []stretch {
	for _, status := range []string{"success", "pending", "fail", "sending", "canceled"} {
		if sign, word, r := statusWord(status); bytes.HasPrefix(line, []byte(sign)) {
			return []stretch{{min(len(line), len(sign)+1+len(word)), r}}
		}
	}
	switch {
	case len(line) == 0:
		return nil
	case 'A' <= line[0] && line[0] <= 'Z':
		return []stretch{{len(line), strong}}
	case 'a' <= line[0] && line[0] <= 'z' && bytes.Contains(line, []byte(": ")):
		return paintNamed(line)
	}
	return paintJSON(line)
}

// drawPreview draws the beginning of what is known of the selected message.
func (v *deliveriesView) drawPreview(m *Model, w, h int) []string {
	if v.id == "" {
		return nil
	}
	v.preview.replace(v.text(m, v.id))
	v.preview.top = 0
	v.preview.arrange(w, h)
	return v.preview.draw(m, w, h)
}
