package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

// standIn is an API of Aspect that tells what the test puts into it.
type standIn struct {
	mu       sync.Mutex
	messages []model.SentMessage
	attempts map[string][]model.SentAttempt
	err      error
	takes    time.Duration
	calls    []string // "messages", or the message whose attempts were asked for
	at       []time.Time
}

func (a *standIn) called(ctx context.Context, what string) error {
	a.mu.Lock()
	a.calls, a.at = append(a.calls, what), append(a.at, time.Now())
	err, takes := a.err, a.takes
	a.mu.Unlock()
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

func (a *standIn) Messages(ctx context.Context, limit int) ([]model.SentMessage, error) {
	if err := a.called(ctx, "messages"); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages[:min(limit, len(a.messages))]), nil
}

func (a *standIn) AttemptsByMessage(ctx context.Context, message string, limit int) ([]model.SentAttempt, error) {
	if err := a.called(ctx, message); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.attempts[message]), nil
}

// asked is how often each thing was asked for.
func (a *standIn) asked(what string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if c == what {
			n++
		}
	}
	return n
}

// set changes what the API tells.
func (a *standIn) set(change func(*standIn)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// send adds a message that Aspect sent at a time after midnight.
func (a *standIn) send(id, typ string, at time.Duration) {
	stamp := midnight.Add(at)
	raw, err := json.Marshal(map[string]any{
		"id": id, "eventType": typ, "timestamp": stamp, "payload": map[string]any{"user_id": "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111"},
	})
	if err != nil {
		panic(err)
	}
	a.messages = append(a.messages, model.SentMessage{ID: id, EventType: typ, Time: stamp, Raw: raw})
}

// try adds an attempt to deliver a message.
func (a *standIn) try(message, status string, code int, at time.Duration) {
	stamp := midnight.Add(at)
	id := fmt.Sprintf("atmpt_%d", len(a.attempts[message])+1)
	raw, err := json.Marshal(map[string]any{"id": id, "status": 0, "responseStatusCode": code, "url": "https://knoll.example/webhooks/aspect"})
	if err != nil {
		panic(err)
	}
	if a.attempts == nil {
		a.attempts = map[string][]model.SentAttempt{}
	}
	a.attempts[message] = append(a.attempts[message], model.SentAttempt{
		ID: id, MessageID: message, EndpointID: "ep_1", URL: "https://knoll.example/webhooks/aspect",
		Status: status, ResponseCode: code, Time: stamp, Raw: raw,
	})
}

// aspectSent is what Aspect tells of uploads: all of them, and one message that
// never came.
func aspectSent() *standIn {
	api := &standIn{}
	for i, d := range uploads() {
		e := model.Decode(&d)
		api.send(d.ID, e.Type, d.Received.Sub(midnight)-200*time.Millisecond)
		if i == len(uploads())-2 {
			api.send("msg_lost", "task.progress", 23*time.Second)
		}
	}
	api.try("msg_lost", "fail", 502, 23*time.Second)
	api.try("msg_lost", "pending", 0, 28*time.Second)
	newest := uploads()[len(uploads())-1].ID
	api.try(newest, "success", 204, 24*time.Second)
	return api
}

// withKey shows a screen that can ask the API.
func withKey(api *standIn) func(*options) { return func(o *options) { o.API = api } }

func TestAspectIsNotAskedBeforeSomebodyLooks(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.wait(2 * time.Minute)
		s.press("1", "2", "3", "5", "?", "esc", "1", "enter", "tab", "tab", "esc")
		s.wait(2 * time.Minute)
		if len(api.calls) > 0 {
			t.Errorf("a key in the environment made calls: %q", api.calls)
		}
		s.press("4")
		s.wait(time.Second)
		if n := api.asked("messages"); n != 1 {
			t.Errorf("opening the view asked %d times", n)
		}
		s.press("1")
		before := len(api.calls)
		s.wait(5 * time.Minute)
		if len(api.calls) > before {
			t.Errorf("the view is closed, and Aspect was asked %d times more", len(api.calls)-before)
		}
	}, withKey(api))
}

func TestWhileSomebodyLooksAspectIsAskedEveryThirtySeconds(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("4")
		s.wait(2*time.Minute + 5*time.Second)
		if n := api.asked("messages"); n != 5 {
			t.Errorf("in two minutes it was asked %d times", n)
		}
		s.press("R")
		s.wait(time.Second)
		if n := api.asked("messages"); n != 6 {
			t.Errorf("R asked %d times", n-5)
		}
		s.press("space")
		s.wait(2 * time.Minute)
		if n := api.asked("messages"); n != 6 {
			t.Errorf("a frozen screen asked %d times", n-6)
		}
	}, withKey(api))
}

func TestAspectIsAskedForOneThingAtATimeAndNotFasterThanTwiceASecond(t *testing.T) {
	api := aspectSent()
	api.takes = 50 * time.Millisecond
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("4")
		s.wait(time.Second)
		for range 40 {
			s.press("j")
			s.wait(30 * time.Millisecond)
		}
		s.wait(time.Second)
		for i := 2; i < len(api.at); i++ {
			if gap := api.at[i].Sub(api.at[i-1]); gap < 500*time.Millisecond {
				t.Errorf("%v after %s, %s was asked for", gap, api.calls[i-1], api.calls[i])
			}
		}
		if len(api.calls) > 8 {
			t.Errorf("running down the list made %d calls", len(api.calls))
		}
	}, withKey(api))
}

func TestAFailureIsToldAndWhatIsKnownStays(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("4")
		s.wait(time.Second)
		s.shows("msg_lost")
		api.set(func(a *standIn) { a.err = errors.New("429 Too Many Requests: try again later") })
		s.wait(31 * time.Second)
		s.shows("Aspect's API failed: 429 Too Many Requests", "Press R to retry now", "msg_lost")
		api.set(func(a *standIn) { a.err = nil })
		s.press("R")
		s.wait(time.Second)
		s.hides("429")
		s.shows("msg_lost")
	}, withKey(api))
}

func TestAnAttemptTellsWhyAndHowAndNoPassword(t *testing.T) {
	api := aspectSent()
	api.attempts["msg_lost"] = []model.SentAttempt{
		{ID: "atmpt_2", URL: "https://joe:s3cret@knoll.example/webhooks/aspect", Status: "fail", Reason: "request timed out", Trigger: "manual", Took: 30002 * time.Millisecond, Time: midnight.Add(30 * time.Second)},
	}
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("n", "right")
		s.wait(time.Second)
		s.shows("to: https://knoll.example/webhooks/aspect", "how: manual, took 30002 ms, failed: request timed out")
		s.hides("s3cret", "joe")
		s.press("P")
		s.hides("timed out", "knoll.example")
	}, withKey(api))
}

func TestAMessageThatNeverCameTellsItsTask(t *testing.T) {
	api := aspectSent()
	api.set(func(a *standIn) {
		for i := range a.messages {
			if a.messages[i].ID == "msg_lost" {
				a.messages[i].TaskID = "5a9b3c17-0000-4000-8000-000000000001"
			}
		}
	})
	onScreen(t, 180, 30, uploads(), func(s *terminal) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.shows("not received here 5a9b3c17")
		s.press("/")
		s.write("task:5a9b3c17")
		s.shows("1 shown", "msg_lost")
	}, withKey(api))
}

// Without asking again, a failure of minutes ago stood beside what arrived since.
func TestTheStatusOfWhatArrivedIsAskedAnew(t *testing.T) {
	for name, listed := range map[string]string{"by the list": "fail", "by its attempts": ""} {
		t.Run(name, func(t *testing.T) {
			api := aspectSent()
			late := event(9, "task.progress", 45*time.Second, "proxy=processing")
			api.set(func(a *standIn) {
				a.send(late.ID, "task.progress", 30*time.Second)
				a.messages[len(a.messages)-1].Status = listed
				a.try(late.ID, "fail", 502, 30*time.Second)
			})
			onScreen(t, 120, 30, uploads(), func(s *terminal) {
				s.wait(40 * time.Second)
				s.press("4")
				s.wait(2 * time.Second)
				s.press("g")
				s.wait(2 * time.Second)
				s.shows("✗ failed   not received here")
				s.press("j", "j", "j")
				s.deliver(late)
				s.shows("✗ failed   #12 verified")
				api.set(func(a *standIn) {
					a.attempts[late.ID] = nil
					a.try(late.ID, "success", 204, 45*time.Second)
					if listed != "" {
						a.messages[len(a.messages)-1].Status = "success"
					}
				})
				s.wait(6 * time.Second)
				s.shows("✓ success  #12 verified")
				n := len(api.calls)
				s.wait(10 * time.Second)
				if more := len(api.calls) - n; more > 3 {
					t.Errorf("Aspect was asked %d times more", more)
				}
			}, withKey(api))
		})
	}
}
