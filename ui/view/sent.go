package view

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
	"aspectop/words"
)

const (
	maxMessages = 100 // asked for, newest first
	maxAttempts = 50  // of one message
	// sentEvery is how often Aspect is asked for its messages while they are shown.
	sentEvery = 30 * time.Second
	// sentSoon is how often if one of them has arrived here that had failed.
	sentSoon = 5 * time.Second
	// attemptsPace is the least time between two calls for attempts.
	attemptsPace = 500 * time.Millisecond
)

// sent is what Aspect's API told. It is asked for one thing at a time.
type sent struct {
	messages []model.SentMessage // newest first
	failure  string              // why the last call for them failed
	read     time.Time           // when they were read; zero: never
	asked    time.Time           // the last try
	again    bool                // the user wants them again
	asking   bool                // a call is under way
	called   time.Time           // the last call for attempts
	tries    map[string]*tries
	changes  int // counts what was read
}

type tries struct {
	attempts []model.SentAttempt // newest first
	failure  string
	read     time.Time
}

// need asks for what is missing or old: messages, then attempts of the selected one. A
// frozen screen asks only when the user does.
func (s *sent) need(sc *screen.Screen, selected string, joined []here) {
	if sc.API == nil || s.asking {
		return
	}
	now := sc.Now()
	due := s.asked.IsZero() || !sc.Frozen() && now.Sub(s.asked) >= sentEvery
	late := s.overtaken(sc, joined)
	if late >= 0 && s.messages[late].Status == "" {
		selected = s.messages[late].ID
	} else if late >= 0 {
		due = due || now.Sub(s.asked) >= sentSoon
	}
	t := s.tries[selected]
	switch {
	case due || s.again:
		s.asking, s.again, s.asked = true, false, now
		sc.Later(func() tea.Msg { return s.askMessages(sc) })
	case selected != "" && (t == nil || !sc.Frozen() && (late >= 0 && s.messages[late].ID == selected || t.read.Before(s.read))):
		wait := s.called.Add(attemptsPace).Sub(now)
		s.asking, s.called = true, now.Add(max(0, wait))
		sc.Later(func() tea.Msg { return s.askAttempts(sc, selected, wait) })
	}
}

// overtaken is a message that arrived here after Aspect was asked what became of it, -1 if
// there is none. Svix notes the answer to it a moment later.
func (s *sent) overtaken(sc *screen.Screen, joined []here) int {
	if sc.Frozen() {
		return -1
	}
	for i := range min(len(s.messages), len(joined)) {
		_, word, _ := statusWord(s.status(i))
		var read time.Time
		if s.messages[i].Status != "" {
			read = s.read
		}
		if t := s.tries[s.messages[i].ID]; t != nil && t.read.After(read) {
			read = t.read
		}
		if h := joined[i]; h.is == hereArrived && h.at.After(read) && word != "" && word != "success" && sc.Now().Sub(h.at) >= time.Second {
			return i
		}
	}
	return -1
}

func (s *sent) askMessages(sc *screen.Screen) tea.Msg {
	messages, err := sc.API.Messages(sc.Ctx, maxMessages)
	if sc.Ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(messages, func(a, b model.SentMessage) int { return b.Time.Compare(a.Time) })
	return screen.Result(func() {
		s.asking, s.failure = false, ""
		if err != nil {
			s.failure = err.Error()
			return
		}
		s.messages, s.read = messages, sc.Now()
		s.changes++
		maps.DeleteFunc(s.tries, func(id string, _ *tries) bool {
			return !slices.ContainsFunc(messages, func(m model.SentMessage) bool { return m.ID == id })
		})
	})
}

func (s *sent) askAttempts(sc *screen.Screen, message string, wait time.Duration) tea.Msg {
	if broadcast.Sleep(sc.Ctx, wait) != nil {
		return nil
	}
	attempts, err := sc.API.AttemptsByMessage(sc.Ctx, message, maxAttempts)
	if sc.Ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(attempts, func(a, b model.SentAttempt) int { return b.Time.Compare(a.Time) })
	return screen.Result(func() {
		s.asking = false
		t := &tries{attempts: attempts, read: sc.Now()}
		if err != nil {
			t.failure = err.Error()
		}
		if s.tries == nil {
			s.tries = map[string]*tries{}
		}
		s.tries[message] = t
		s.changes++
	})
}

// status is what became of message i, by the list or by its newest attempt.
func (s *sent) status(i int) string {
	msg := &s.messages[i]
	if t := s.tries[msg.ID]; t != nil && len(t.attempts) > 0 && (msg.Status == "" || t.read.After(s.read)) {
		return t.attempts[0].Status
	}
	return msg.Status
}

// statusWord is a status of Svix, told as a number or a text.
func statusWord(s string) (sign, word string, r draw.Role) {
	switch strings.ToLower(s) {
	case "":
		return " ", "", draw.Dim
	case "0", "success", "succeeded":
		return model.Completed.Info().Sign, "success", draw.Good
	case "1", "pending":
		return model.Queued.Info().Sign, "pending", draw.Waiting
	case "2", "fail", "failed":
		return model.Failed.Info().Sign, "failed", draw.Bad
	case "3", "sending":
		return model.Processing.Info().Sign, "sending", draw.Busy
	case "4", "canceled", "cancelled":
		return model.Cancelled.Info().Sign, "cancelled", draw.Stopped
	}
	return model.UnknownState.Sign, s, draw.Warn
}

// grace is how old a message has to be before it is missed: it may be under way.
const grace = 10 * time.Second

// here says what became of one of Aspect's messages in this place.
type here struct {
	is  hereIs
	row feed.RowKey // of the delivery or the refusal
	at  time.Time   // when that came
}

type hereIs uint8

const (
	hereNotKept hereIs = iota // and unknown whether it should be
	hereReading               // the journal has not been read that far
	hereComing                // sent a moment ago
	hereArrived
	hereRefused
	hereMissing
)

// join finds for each message what arrived of it.
func join(sc *screen.Screen, messages []model.SentMessage) []here {
	refused := map[string]*feed.Note{}
	notes := sc.Feed.Notes()
	for i := range notes {
		if n := &notes[i]; n.Rejected != nil && n.Rejected.ID != "" {
			refused[n.Rejected.ID] = n
		}
	}
	// A receiver knows what came since its start, a journal since its beginning.
	since := sc.Feed.ReceivedSince()
	if started := sc.Feed.Started(); sc.Receiver != "" && (since.IsZero() || started.Before(since)) {
		since = started
	}
	joined := make([]here, len(messages))
	for i := range messages {
		msg, h := &messages[i], &joined[i]
		switch seq, at, arrived := sc.Feed.Received(msg.ID); {
		case arrived:
			*h = here{hereArrived, feed.RowKey{Seq: seq}, at}
		case refused[msg.ID] != nil:
			*h = here{hereRefused, refused[msg.ID].Key, refused[msg.ID].At}
		case sc.Loading():
			h.is = hereReading
		case since.IsZero() || !msg.Time.After(since):
			h.is = hereNotKept
		case sc.At.Sub(msg.Time) < grace:
			h.is = hereComing
		default:
			h.is = hereMissing
		}
	}
	return joined
}

// hereWords say it in brief and, where that does not depend on the message, at length.
var hereWords = [...]struct {
	brief    string
	role     draw.Role
	sentence string
}{
	hereNotKept: {"not in journal", draw.Dim, "not in this journal, which begins later"},
	hereReading: {draw.GlyphEllipsis, draw.Faint, "the journal is still being read"},
	hereComing:  {"on its way", draw.Dim, "not received yet; it was sent a moment ago"},
	hereArrived: {"verified", draw.Good, ""},
	hereRefused: {"rejected here", draw.Bad, ""},
	hereMissing: {"not received here", draw.Bad, "not received here; see the attempts for what Svix got"},
}

func (h here) words() (string, draw.Role) {
	told := hereWords[h.is].brief
	if h.is == hereArrived {
		told = fmt.Sprintf("#%d %s", h.row.Seq, told)
	}
	return told, hereWords[h.is].role
}

func sentence(sc *screen.Screen, h here, sent time.Time) string {
	switch {
	case h.is == hereArrived:
		told := fmt.Sprintf("#%d, verified, received at %s", h.row.Seq, draw.Clock(h.at))
		if late := h.at.Sub(sent); !sent.IsZero() && late >= 0 {
			told += ", " + words.Tenths(late) + " after it was sent"
		}
		return told + "; press enter to open it"
	case h.is == hereRefused:
		told := "rejected at " + draw.Clock(h.at)
		if s := sc.Log.Status(h.row); s != nil && s.Rejected != nil {
			told += ": " + words.Rejected(s.Rejected, sc.Masked).String()
		}
		return told + "; press enter to open it"
	case h.is == hereNotKept && sent.IsZero():
		return "not in this journal; Aspect does not say when it was sent"
	}
	return hereWords[h.is].sentence
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
func (v *Messages) text(sc *screen.Screen, id string) *draw.Document {
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

func (v *Messages) write(sc *screen.Screen, msg *model.SentMessage, h here) *draw.Document {
	t := &draw.Document{Paint: paintSent}
	t.Add("message: "+words.OrNone(msg.ID), 0)
	t.Add("type: "+words.OrNone(msg.EventType), 0)
	t.Add("sent: "+draw.Stamp(msg.Time), 0)
	if sign, word, _ := statusWord(v.sent.status(v.place[msg.ID])); msg.Status != "" {
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
	raw := func(title string, body []byte) {
		t.Add("", 0)
		t.Add(title, 0)
		if !t.AddJSON(body, 0, sc.Masked) {
			t.Add("(no JSON)", 0)
		}
	}
	raw("The message as Aspect has it", msg.Raw)
	if tries == nil {
		return t
	}
	for _, a := range tries.attempts {
		raw("Attempt as Aspect has it: "+words.OrNone(a.ID), a.Raw)
	}
	return t
}

// addAttempt tells status, code, time (with the day if another than sent) and endpoint.
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
		t.Add("to: "+clean.URL(a.URL), 1)
	}
	if about := a.About(); mask && a.Reason != "" {
		t.Add("how: (hidden)", 1)
	} else if about != "" {
		t.Add("how: "+about, 1)
	}
}

// paintSent paints what write wrote itself.
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
	return nil
}

// Preview draws the beginning of what is known of the selected message.
func (v *Messages) Preview(sc *screen.Screen, w, h int) []string {
	if v.key == "" {
		return nil
	}
	v.preview.Show(v.text(sc, v.key), false)
	v.preview.Arrange(w, h)
	return v.preview.Draw(sc.Theme, w, h)
}
