package ui

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/feed/feedtest"
	"aspectop/model"
)

const handlerURL = "http://localhost:3000/hooks"

// handler stands in for the user's handler and for what posts to it.
type handler struct {
	mu      sync.Mutex
	got     []model.Delivery // with the body that was posted
	edited  []bool
	givenUp int64 // a message that forwarding tries again
	answer  model.Forward
	err     error
	takes   time.Duration
	queues  []model.Queue

	journal *feedtest.Memory // where outcomes are kept
	status  *model.StatusLog
}

func (h *handler) resend(ctx context.Context, d model.Delivery, body []byte) ([]string, model.Forward, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.givenUp == d.Seq {
		return []string{handlerURL}, model.Forward{}, h.err
	}
	h.edited = append(h.edited, body != nil)
	if body != nil {
		d.Body = body
	}
	h.got = append(h.got, d)
	time.Sleep(h.takes)
	f := h.answer
	f.Seq, f.To, f.Tries, f.Final, f.At = d.Seq, handlerURL, 1, true, time.Now()
	if h.err == nil && body == nil { // as forward.Resend
		h.journal.SaveForward(f)
		reported := f
		reported.Body = nil
		h.status.Add(model.Status{At: f.At, Forward: &reported})
	}
	return nil, f, h.err
}

// withHandler lets the screen post to the handler.
func withHandler(h *handler) func(*options) {
	return func(o *options) {
		o.Resend, o.ResendTo = h.resend, handlerURL
		h.journal, h.status = o.rows.(*feedtest.Memory), o.status
		o.Queues = func() []model.Queue { return h.queues }
	}
}

func taken() model.Forward {
	return model.Forward{Status: 204, Latency: 12 * time.Millisecond, Resigned: true}
}

func TestReplaySendsTheMessageAgainFromWhereverItIsSeen(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		seq  int64
	}{
		"a task: its newest message": {[]string{"1", "n"}, 8},
		"an event":                   {[]string{"3", "g", "j"}, 2},
		"a task's event":             {[]string{"1", "n", "enter", "tab", "g"}, 3},
		"a payload":                  {[]string{"3", "g", "j", "j", "enter"}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			h := &handler{answer: taken()}
			onScreen(t, 160, 30, uploads(), func(s *terminal) {
				s.wait(time.Second)
				s.press(c.keys...)
				s.wait(time.Second)
				s.press("r")
				s.wait(time.Second)
				s.shows(fmt.Sprintf("#%d → %s: answered 204 in 12 ms; re-signed", c.seq, handlerURL))
				if len(h.got) != 1 || h.got[0].Seq != c.seq || h.edited[0] {
					t.Fatalf("the handler got %d messages: %+v", len(h.got), h.got)
				}
				s.press("esc", "esc", "3")
				s.wait(time.Second)
				s.shows("→204 12ms")
			}, withHandler(h))
		})
	}
}

func TestReplaySaysWhatTheHandlerSaid(t *testing.T) {
	for name, c := range map[string]struct {
		answer model.Forward
		err    error
		says   string
	}{
		"refused":     {model.Forward{Status: 400, Latency: 3 * time.Millisecond, Error: "answered 400 Bad Request", Hint: "is the raw body verified?"}, nil, "#11 → " + handlerURL + ": answered 400 Bad Request in 3 ms; is the raw body verified?"},
		"unreachable": {model.Forward{Error: "connection refused"}, nil, "connection refused"},
		"not sent":    {model.Forward{}, errors.New("the secret \"old\" is not known here"), "#11 was not sent: the secret \"old\" is not known here"},
		"hostile":     {model.Forward{Status: 500, Error: "\x1b[2Jbang\u202e", Hint: "\x1b]0;x\a"}, nil, "bang"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &handler{answer: c.answer, err: c.err}
			onScreen(t, 160, 30, uploads(), func(s *terminal) {
				s.wait(time.Second)
				s.press("3", "r")
				s.wait(time.Second)
				s.shows(c.says)
			}, withHandler(h))
		})
	}
}

func TestReplayOfARepeatSendsItsMessage(t *testing.T) {
	first := event(1, "task.progress", 0, "proxy=queued")
	again := first
	again.Message, again.Attempt, again.Body = 1, 2, nil
	h := &handler{answer: taken()}
	onScreen(t, 160, 30, []model.Delivery{first, again}, func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "G", "r")
		s.wait(time.Second)
		if len(h.got) != 1 || h.got[0].Seq != 1 || len(h.got[0].Body) == 0 {
			t.Errorf("the handler got %+v", h.got)
		}
	}, withHandler(h))
}

func TestWithoutAHandlerReplayAndEditSayWhatTheyNeed(t *testing.T) {
	onScreen(t, 100, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "r")
		s.shows("no handler to send to: start with --forward-to URL")
		s.press("e")
		s.shows("start with --forward-to URL")
	})
}

func TestNothingIsReplayedWhereNoMessageIs(t *testing.T) {
	h := &handler{answer: taken()}
	onScreen(t, 100, 30, nil, func(s *terminal) {
		s.press("r")
		s.shows("nothing to replay here")
		s.status.Add(model.Status{At: midnight, Rejected: &model.Rejected{ID: "msg_forged", Verdict: model.Verdict{Detail: "no secret matches"}}})
		s.wait(time.Second)
		s.press("3", "r")
		s.shows("a rejected request is not a delivery: nothing to replay")
		if len(h.got) > 0 {
			t.Errorf("the handler got %+v", h.got)
		}
	}, withHandler(h))
}

func TestOneReplayIsUnderWayAtATime(t *testing.T) {
	h := &handler{answer: taken(), takes: 5 * time.Second}
	onScreen(t, 160, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "r", "r", "r")
		s.shows("still waiting for the handler's answer to #11")
		s.wait(6 * time.Second)
		if len(h.got) != 1 {
			t.Errorf("the handler got %d messages", len(h.got))
		}
		s.press("r")
		s.wait(6 * time.Second)
		if len(h.got) != 2 {
			t.Errorf("after the answer, r sent %d messages", len(h.got)-1)
		}
	}, withHandler(h))
}

func TestWhatForwardingGaveUpIsTriedAgainByForwarding(t *testing.T) {
	h := &handler{answer: taken(), givenUp: 11}
	onScreen(t, 160, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "r")
		s.wait(time.Second)
		s.shows("#11 had been given up; retrying it at " + handlerURL)
		s.press("k", "r")
		s.wait(time.Second)
		if len(h.got) != 1 {
			t.Error("what was not given up is not replayed")
		}
	}, withHandler(h))
}

func TestPresentationHidesTheHandler(t *testing.T) {
	h := &handler{answer: taken(), queues: []model.Queue{{To: handlerURL, Waiting: 1}}}
	onScreen(t, 160, 30, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("P", "3", "r")
		s.wait(time.Second)
		s.shows("#11 → (hidden): answered 204")
		h.answer = model.Forward{Error: "dial tcp: lookup studio.example", Hint: "nothing listens on studio.example:80"}
		s.press("r") // the preview has a line about the handler
		s.wait(time.Second)
		s.shows("handler", "no answer")
		s.hides("localhost:3000", "studio.example")
		s.press("enter", "tab", "tab")
		s.wait(time.Second)
		s.shows("handler: (hidden)", "outcome: no answer")
		s.hides("studio.example")
	}, withHandler(h))
}

func TestTheQueuesStandBelowTheLog(t *testing.T) {
	h := &handler{}
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3")
		s.wait(time.Second)
		s.hides("forwarding to")
		h.queues = []model.Queue{{To: handlerURL, Waiting: 3, Retrying: 1, NextTry: midnight.Add(6 * time.Second), GaveUp: 2, Delivered: 40}}
		s.wait(time.Second)
		s.shows("forwarding to " + handlerURL + ": 3 waiting, 1 retrying in 3s, 2 given up, 40 forwarded")
		h.queues = []model.Queue{{To: handlerURL}, {To: "http://b"}, {To: "http://c", Waiting: 9, More: true}}
		s.wait(time.Second)
		s.shows(handlerURL+": nothing yet", "http://c: 9 or more waiting")
		if line := s.selectedLine(); !strings.Contains(line, "11") {
			t.Errorf("the newest row is not selected, but %s", line)
		}
		s.fitsEverySize()
	}, withHandler(h))
	onScreen(t, 40, 10, nil, func(s *terminal) {
		s.press("3")
		s.wait(time.Second)
		s.shows("and 3 more handlers")
	}, withHandler(&handler{queues: make([]model.Queue, 3)}))
}

func TestWhatHandlersAnsweredStandsBesideTheRequest(t *testing.T) {
	h := &handler{answer: model.Forward{Status: 500, Latency: time.Millisecond, Error: "answered 500 Internal Server Error", Body: []byte("boom\nat line 3 of the handler\x1b[2J")}}
	onScreen(t, 160, 50, uploads(), func(s *terminal) {
		s.journal.Outcomes = map[int64][]model.Forward{1: {
			{Seq: 1, To: handlerURL, At: midnight, Status: 400, Tries: 1, Final: true, Error: "answered 400 Bad Request", Hint: "is the raw body verified?"},
			{Seq: 1, To: "http://other", At: midnight, Status: 204, Latency: 7 * time.Millisecond, Tries: 3, Final: true},
		}}
		s.wait(time.Second)
		s.press("3", "g", "enter", "tab", "tab")
		s.wait(time.Second)
		s.shows("Request ──", "Response ──", "Svix-Id", `"preview": {`, "handler: "+handlerURL, "outcome: answered 400 Bad Request in 0 ms; is the raw body verified?", "handler: http://other", "answered 204 in 7 ms; try 3")
		s.press("r")
		s.wait(time.Second)
		s.shows("outcome: answered 500 Internal Server Error in 1 ms", "boom", "at line 3", "http://other")
		s.hides("400 Bad Request")
		s.press("P")
		s.wait(time.Second)
		s.hides("boom", "localhost:3000", "http://other")
	}, withHandler(h))
}

func TestTheReadersPlaceIsKeptWhenAnAnswerComes(t *testing.T) {
	h := &handler{answer: taken()}
	onScreen(t, 100, 14, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "g", "enter", "pgdown", "j")
		s.wait(time.Second)
		before := strings.Split(s.frame(), "\n")[4]
		s.press("r")
		s.wait(time.Second)
		if now := strings.Split(s.frame(), "\n")[4]; now != before {
			t.Errorf("the text moved from %q to %q", before, now)
		}
	}, withHandler(h))
}

func TestWhatCameByNoWebhookCannotBeReplayed(t *testing.T) {
	d := event(1, "task.progress", 0, "proxy=queued")
	d.Source, d.Secret, d.Body = model.SourceAPI, "", []byte(`{"id":"2e1c7e01","features":{"proxy":{"state":"queued"}}}`)
	h := &handler{answer: taken()}
	onScreen(t, 120, 24, []model.Delivery{d}, func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "r")
		s.wait(time.Second)
		s.shows("#1 was not sent: it came from Aspect's API and is not a webhook")
		s.press("e")
		s.wait(time.Second)
		s.shows("cannot edit #1: it came from Aspect's API")
	}, withHandler(h), func(o *options) { o.Editor = func(context.Context, string) (*exec.Cmd, error) { return nil, nil } })
}

func TestTheRequestIsShownAsTheHandlerGetsIt(t *testing.T) {
	d := event(1, "task.progress", 0, "proxy=queued")
	d.Header = map[string][]string{"Host": {"public.example"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "User-Agent": {"Svix-Webhooks/1.84.0"}}
	opened(t, 120, 40, []model.Delivery{d}, []string{"3", "enter", "tab", "tab"}, func(s *terminal) {
		s.shows("Request ─", "User-Agent: Svix-Webhooks/1.84.0")
		s.hides("public.example", "X-Hop")
	}, withHandler(&handler{answer: taken()}))
}
