package view

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/broadcast"
	"aspectop/feed"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/screen"
)

const (
	maxMessages = 100 // asked for, newest first
	maxAttempts = 50  // of one message
	// sentEvery is how often Aspect is asked for its messages while they are
	// looked at.
	sentEvery = 30 * time.Second
	// attemptsPace is the least time between two calls for attempts, however fast the
	// selection moves.
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

// tries are the attempts to deliver one message.
type tries struct {
	attempts []model.SentAttempt // newest first
	failure  string
	read     time.Time
}

// need asks for what is missing or out of date: the messages, then the attempts
// to deliver the selected one. A frozen screen asks only when the user does.
func (s *sent) need(sc *screen.Screen, selected string) {
	if sc.API == nil || s.asking {
		return
	}
	now := sc.Now()
	due := s.asked.IsZero() || !sc.Frozen() && now.Sub(s.asked) >= sentEvery
	t := s.tries[selected]
	switch {
	case due || s.again:
		s.asking, s.again, s.asked = true, false, now
		sc.Later(func() tea.Msg { return s.askMessages(sc) })
	case selected != "" && (t == nil || !sc.Frozen() && t.read.Before(s.read)):
		wait := s.called.Add(attemptsPace).Sub(now)
		s.asking, s.called = true, now.Add(max(0, wait))
		sc.Later(func() tea.Msg { return s.askAttempts(sc, selected, wait) })
	}
}

func (s *sent) askMessages(sc *screen.Screen) tea.Msg {
	messages, err := sc.API.Messages(sc.Ctx, maxMessages)
	if sc.Ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(messages, func(a, b model.SentMessage) int { return b.Time.Compare(a.Time) })
	return screen.Result(func() { s.messagesRead(sc, messages, err) })
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
	return screen.Result(func() { s.attemptsRead(sc, message, attempts, err) })
}

func (s *sent) messagesRead(sc *screen.Screen, messages []model.SentMessage, err error) {
	s.asking, s.failure = false, ""
	if err != nil {
		s.failure = err.Error()
		return
	}
	s.messages, s.read = messages, sc.Now()
	s.changes++
	listed := make(map[string]*tries, len(s.tries))
	for i := range s.messages {
		if t := s.tries[s.messages[i].ID]; t != nil {
			listed[s.messages[i].ID] = t
		}
	}
	s.tries = listed
}

func (s *sent) attemptsRead(sc *screen.Screen, of string, attempts []model.SentAttempt, err error) {
	s.asking = false
	t := &tries{attempts: attempts, read: sc.Now()}
	if err != nil {
		t.failure = err.Error()
	}
	if s.tries == nil {
		s.tries = map[string]*tries{}
	}
	s.tries[of] = t
	s.changes++
}

// status is what became of message i at Svix, as far as it was told: by the
// list, or by the newest attempt.
func (s *sent) status(i int) string {
	msg := &s.messages[i]
	if t := s.tries[msg.ID]; msg.Status == "" && t != nil && len(t.attempts) > 0 {
		return t.attempts[0].Status
	}
	return msg.Status
}

// statusWord is a status of Svix, told as a number or as text, in one word, with
// a sign and a role.
func statusWord(s string) (sign, word string, r draw.Role) {
	switch strings.ToLower(s) {
	case "":
		return " ", "", draw.Dim
	case "0", "success", "succeeded":
		return draw.Glyph(model.Completed), "success", draw.Good
	case "1", "pending":
		return draw.Glyph(model.Queued), "pending", draw.Waiting
	case "2", "fail", "failed":
		return draw.Glyph(model.Failed), "failed", draw.Bad
	case "3", "sending":
		return draw.Glyph(model.Processing), "sending", draw.Busy
	case "4", "canceled", "cancelled":
		return draw.Glyph(model.Cancelled), "cancelled", draw.Stopped
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
	// A receiver knows of what was sent since it was started; the journal knows
	// of what was sent since it began.
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
