package ui

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
)

// API is what the screen asks Aspect's API. A call may take long and make
// several requests; one is made at a time.
type API interface {
	// Messages are the recent webhook messages, at most limit.
	Messages(ctx context.Context, limit int) ([]SentMessage, error)
	// Attempts are the tries to deliver a message, at most limit.
	Attempts(ctx context.Context, message string, limit int) ([]SentAttempt, error)
}

// SentMessage is a webhook message as Aspect tells it. Its shape is not
// published: what was not found is empty, and Raw has everything.
type SentMessage struct {
	ID        string // msg_…, the svix-id of its deliveries
	EventType string
	EventID   string
	Status    string // success, pending, fail, sending, canceled, or as it came
	Time      time.Time
	Raw       json.RawMessage
}

// SentAttempt is one try to deliver a message, told as [SentMessage] is.
type SentAttempt struct {
	ID           string // atmpt_…
	MessageID    string
	EndpointID   string
	EventType    string
	URL          string
	Status       string
	ResponseCode int // 0: no answer, or not told
	Time         time.Time
	Raw          json.RawMessage
}

const (
	maxMessages = 100 // asked for, newest first
	maxAttempts = 50  // of one message
	// sentEvery is how often Aspect is asked for its messages while they are
	// looked at.
	sentEvery = 30 * time.Second
	// attemptsPace is the least time between two calls for attempts, for a
	// reader who runs down the list.
	attemptsPace = 500 * time.Millisecond
)

// sent is what Aspect's API told. It is asked for one thing at a time.
type sent struct {
	messages []SentMessage // newest first
	failure  string        // why the last call for them failed
	read     time.Time     // when they were read; zero: never
	asked    time.Time     // the last try
	again    bool          // the reader wants them anew
	asking   bool          // a call is under way
	called   time.Time     // the last call for attempts
	tries    map[string]*tries
	changes  int // counts what was read
}

// tries are the attempts to deliver one message.
type tries struct {
	attempts []SentAttempt // newest first
	failure  string
	read     time.Time
}

type messagesMsg struct {
	messages []SentMessage
	err      error
}

type attemptsMsg struct {
	of       string
	attempts []SentAttempt
	err      error
}

// need asks for what is missing or out of date: the messages, then the attempts
// to deliver the selected one. A frozen screen asks only when the reader does.
func (s *sent) need(m *Model, selected string) {
	if m.opt.API == nil || s.asking {
		return
	}
	now := m.opt.Now()
	due := s.asked.IsZero() || m.frozen == nil && now.Sub(s.asked) >= sentEvery
	t := s.tries[selected]
	switch {
	case due || s.again:
		s.asking, s.again, s.asked = true, false, now
		m.later = append(m.later, m.askMessages)
	case selected != "" && (t == nil || m.frozen == nil && t.read.Before(s.read)):
		wait := s.called.Add(attemptsPace).Sub(now)
		s.asking, s.called = true, now.Add(max(0, wait))
		m.later = append(m.later, func() tea.Msg { return m.askAttempts(selected, wait) })
	}
}

func (m *Model) askMessages() tea.Msg {
	messages, err := m.opt.API.Messages(m.ctx, maxMessages)
	if m.ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(messages, func(a, b SentMessage) int { return b.Time.Compare(a.Time) })
	return messagesMsg{messages, err}
}

func (m *Model) askAttempts(message string, wait time.Duration) tea.Msg {
	if wait > 0 {
		pause := time.NewTimer(wait)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-m.ctx.Done():
			return nil
		}
	}
	attempts, err := m.opt.API.Attempts(m.ctx, message, maxAttempts)
	if m.ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(attempts, func(a, b SentAttempt) int { return b.Time.Compare(a.Time) })
	return attemptsMsg{message, attempts, err}
}

func (s *sent) messagesRead(m *Model, msg messagesMsg) {
	s.asking, s.failure = false, ""
	if msg.err != nil {
		s.failure = msg.err.Error()
		return
	}
	s.messages, s.read = msg.messages, m.opt.Now()
	s.changes++
	listed := make(map[string]*tries, len(s.tries))
	for i := range s.messages {
		if t := s.tries[s.messages[i].ID]; t != nil {
			listed[s.messages[i].ID] = t
		}
	}
	s.tries = listed
}

func (s *sent) attemptsRead(m *Model, msg attemptsMsg) {
	s.asking = false
	t := &tries{attempts: msg.attempts, read: m.opt.Now()}
	if msg.err != nil {
		t.failure = msg.err.Error()
	}
	if s.tries == nil {
		s.tries = map[string]*tries{}
	}
	s.tries[msg.of] = t
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
	return draw.GlyphUnknown, s, draw.Warn
}
