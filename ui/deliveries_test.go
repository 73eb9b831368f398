package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

// standIn is an API of Aspect that tells what the test puts into it.
type standIn struct {
	mu       sync.Mutex
	messages []SentMessage
	attempts map[string][]SentAttempt
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

func (a *standIn) Messages(ctx context.Context, limit int) ([]SentMessage, error) {
	if err := a.called(ctx, "messages"); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.messages[:min(limit, len(a.messages))]), nil
}

func (a *standIn) Attempts(ctx context.Context, message string, limit int) ([]SentAttempt, error) {
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
	a.messages = append(a.messages, SentMessage{ID: id, EventType: typ, Time: stamp, Raw: raw})
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
		a.attempts = map[string][]SentAttempt{}
	}
	a.attempts[message] = append(a.attempts[message], SentAttempt{
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
func withKey(api *standIn) func(*Options) { return func(o *Options) { o.API = api } }

func TestFramesOfDeliveries(t *testing.T) {
	for name, api := range map[string]*standIn{
		"none": nil, "sent": aspectSent(), "empty": {},
		"error": {err: errors.New("GET /webhooks/messages: 401 Unauthorized (Aspect does not know this API key: check ASPECT_API_KEY)")},
	} {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s-%dx%d", name, size[0], size[1]), func(t *testing.T) {
				onScreen(t, size[0], size[1], uploads(), func(s *screen) {
					s.wait(40 * time.Second)
					s.press("4")
					s.wait(time.Second)
					s.press("j")
					s.wait(5 * time.Second)
					s.matchesGolden()
				}, func(o *Options) {
					if api != nil {
						o.API = api
					}
				})
			})
		}
	}
}

func TestDeliveriesFitEverySize(t *testing.T) {
	for name, api := range map[string]*standIn{"sent": aspectSent(), "error": {err: errors.New(strings.Repeat("long words ", 50))}} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, 80, 24, uploads(), func(s *screen) {
				s.press("4")
				s.wait(time.Second)
				s.fitsEverySize()
				s.press("right")
				s.fitsEverySize()
			}, withKey(api))
		})
	}
}

func TestWithoutAKeyDeliveriesSayWhatTheyNeed(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *screen) {
		s.press("4")
		s.shows("ASPECT_API_KEY", "3 shows every delivery")
		s.press("down", "enter", "y", "f", "s", "n", "R", "right")
		s.hides(taskID(1)[:8])
		s.press("3")
		s.shows(taskID(1)[:8])
	})
}

func TestAspectIsNotAskedBeforeSomebodyLooks(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *screen) {
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
	onScreen(t, 100, 24, uploads(), func(s *screen) {
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
	onScreen(t, 100, 24, uploads(), func(s *screen) {
		s.press("4")
		s.wait(time.Second)
		for range 40 {
			s.press("j")
			s.wait(30 * time.Millisecond)
		}
		s.wait(time.Second)
		for i := 2; i < len(api.at); i++ {
			if gap := api.at[i].Sub(api.at[i-1]); gap < attemptsPace {
				t.Errorf("%v after %s, %s was asked for", gap, api.calls[i-1], api.calls[i])
			}
		}
		if len(api.calls) > 8 {
			t.Errorf("running down the list made %d calls", len(api.calls))
		}
	}, withKey(api))
}

func TestMessagesAreJoinedWithWhatArrived(t *testing.T) {
	api := aspectSent()
	api.send("msg_earlier", "task.progress", -time.Hour)
	api.send("msg_refused", "task.progress", 25*time.Second)
	onScreen(t, 120, 40, uploads(), func(s *screen) {
		s.status.Add(model.Status{At: midnight.Add(25 * time.Second), Rejected: &model.Rejected{
			ID: "msg_refused", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)"},
		}})
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.shows("14 messages, 1 not received here, 1 refused here")
		for id, want := range map[string]string{
			"msg_lost": "not received here", "msg_refused": "refused here", "msg_earlier": "not kept here",
		} {
			if line := s.lineWith(id); !strings.Contains(line, want) {
				t.Errorf("of %s the list says %q", id, line)
			}
		}
		s.shows("#6 verified")
		s.press("enter") // the refused one is the newest
		s.wait(time.Second)
		s.shows("Payload", "refused")
		s.press("esc", "j", "enter")
		s.wait(time.Second)
		s.shows("#11", taskID(5))
		s.press("esc", "n")
		s.wait(time.Second)
		s.shows("502", "pending", "https://knoll.example/webhooks/aspect")
		s.press("P")
		s.hides("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
		s.press("right")
		s.hides("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
		s.shows("message msg_lost", "atmpt_1")
		s.press("P")
		s.shows("knoll.example", "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111")
	}, withKey(api))
}

// lineWith is the line of the list that holds the text.
func (s *screen) lineWith(text string) string {
	for line := range strings.Lines(s.frame()) {
		if strings.Contains(line, text) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func TestAMessageIsMissedOnlyWhenItHadTimeToCome(t *testing.T) {
	api := &standIn{}
	onScreen(t, 120, 30, nil, func(s *screen) {
		s.wait(20 * time.Second)
		api.send("msg_lost", "task.progress", 20*time.Second)
		s.press("4")
		s.wait(5 * time.Second)
		s.shows("on its way")
		s.hides("not received here")
		s.wait(6 * time.Second)
		s.shows("not received here")
		late := event(1, "task.progress", 31*time.Second, "proxy=queued")
		late.ID = "msg_lost"
		s.deliver(late)
		s.shows("#1 verified")
		s.hides("not received here")
	}, withKey(api))
}

func TestAJournalThatReceivesNothingMissesNothing(t *testing.T) {
	api := aspectSent()
	onScreen(t, 120, 30, nil, func(s *screen) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.shows("not kept here")
		s.hides("not received here")
	}, withKey(api), func(o *Options) { o.Receiver = "" })
}

func TestTheListKeepsItsPlaceWhenMessagesCome(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *screen) {
		s.press("4")
		s.wait(time.Second)
		s.press("j", "j")
		s.shows("not following")
		before := s.selectedLine()
		api.set(func(a *standIn) { a.send("msg_new", "task.progress", 50*time.Second) })
		s.wait(35 * time.Second)
		s.shows("msg_new")
		if now := s.selectedLine(); firstWords(now) != firstWords(before) {
			t.Errorf("the selection moved from %s to %s", before, now)
		}
		s.press("f")
		s.wait(time.Second)
		if now := s.selectedLine(); !strings.Contains(now, "msg_new") {
			t.Errorf("f went to %s", now)
		}
	}, withKey(api))
}

func TestAFailureIsToldAndWhatIsKnownStays(t *testing.T) {
	api := aspectSent()
	onScreen(t, 100, 24, uploads(), func(s *screen) {
		s.press("4")
		s.wait(time.Second)
		s.shows("msg_lost")
		api.set(func(a *standIn) { a.err = errors.New("429 Too Many Requests: try again later") })
		s.wait(31 * time.Second)
		s.shows("Aspect did not tell: 429 Too Many Requests", "R asks again", "msg_lost")
		api.set(func(a *standIn) { a.err = nil })
		s.press("R")
		s.wait(time.Second)
		s.hides("429")
		s.shows("msg_lost")
	}, withKey(api))
}

func TestDeliveriesObeyTheFilterAndTheFailures(t *testing.T) {
	api := aspectSent()
	onScreen(t, 120, 30, uploads(), func(s *screen) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("!")
		s.shows("failures only", "1 shown", "msg_lost")
		s.hides("#11 verified")
		s.press("!", "/")
		s.write("type:task.failed")
		s.shows("1 shown", "#8 verified")
		s.press("esc", "/")
		s.write("task:2e1c7e03")
		s.shows("2 shown", "#5 verified", "#9 verified")
		s.press("esc", "/")
		s.write("nothing")
		s.shows("0 shown", "Nothing passes the filter")
		s.press("enter", "enter", "right", "y", "r", "j", "n", "G")
	}, withKey(api))
}

func TestTheIDOfASentMessageCanBeCopied(t *testing.T) {
	onScreen(t, 120, 30, uploads(), func(s *screen) {
		s.wait(40 * time.Second)
		s.press("4")
		s.wait(time.Second)
		s.press("n", "y")
		s.shows("copied message id msg_lost")
		s.press("Y")
		s.shows("did not come here; nothing to copy")
	}, withKey(aspectSent()))
}

func TestHostileTextFromAspectIsHarmless(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(map[string]any{text: text, "list": []string{text}})
			if err != nil {
				t.Fatal(err)
			}
			api := &standIn{
				messages: []SentMessage{
					{ID: text, EventType: text, EventID: text, Status: text, Time: midnight, Raw: raw},
					{ID: "msg_2", Raw: []byte("{broken " + text)},
				},
				attempts: map[string][]SentAttempt{text: {{ID: text, URL: text, EndpointID: text, Status: text, ResponseCode: 1 << 40, Raw: raw}}},
			}
			for _, size := range [][2]int{{40, 10}, {160, 50}} {
				onScreen(t, size[0], size[1], uploads(), func(s *screen) {
					s.press("4")
					s.wait(time.Second)
					s.press("y", "right", "G", "w", "g", "P", "/")
					s.write("x")
					s.press("enter", "n", "esc", "esc", "j")
					api.set(func(a *standIn) { a.err = errors.New(text) })
					s.press("R")
					s.wait(2 * time.Second)
					s.press("right", "G")
					api.set(func(a *standIn) { a.err = nil })
				}, withKey(api))
			}
		})
	}
}

func TestTheNewestMessagesCanBeFoundAndOlderOnesAreForgotten(t *testing.T) {
	const all = 2 * maxReceived
	ids := func(i int) string { return fmt.Sprintf("msg_%d", i) }
	arrivals := make([]arrival, all)
	for i := range arrivals {
		arrivals[i].Event = model.Event{
			Seq: int64(i + 1), Message: int64(i + 1), ID: ids(i + 1), Source: model.SourceWebhook, Received: midnight.Add(time.Duration(i) * time.Second),
		}
	}
	backwards := slices.Clone(arrivals)
	slices.Reverse(backwards)
	for name, order := range map[string][]arrival{"as they came": arrivals, "newest first": backwards} {
		t.Run(name, func(t *testing.T) {
			var r received
			for batch := range slices.Chunk(order, 4000) {
				r.add(batch)
				if len(r.byID) > maxReceived*6/5+4000 {
					t.Fatalf("%d messages are remembered", len(r.byID))
				}
			}
			for _, i := range []int{all, all - maxReceived + 1} {
				if r.byID[ids(i)].seq != int64(i) {
					t.Errorf("message %d of %d is not found", i, all)
				}
			}
			if _, found := r.byID[ids(1)]; found {
				t.Error("the oldest message is still remembered")
			}
			if oldest := midnight.Add(time.Duration(r.floor-1) * time.Second); r.since.After(oldest.Add(maxReceived*time.Second)) || r.since.Before(oldest) {
				t.Errorf("knowledge begins at %v; the oldest that is known for sure came at %v", r.since, oldest)
			}
		})
	}
}

func TestARepeatLeadsToItsMessage(t *testing.T) {
	first := event(1, "task.progress", 0, "proxy=queued")
	again := first
	again.Message, again.Attempt, again.Body = 1, 2, nil
	again.Received = midnight.Add(time.Minute)
	api := &standIn{}
	api.send(first.ID, "task.progress", -time.Second)
	onScreen(t, 120, 30, []model.Delivery{first, again}, func(s *screen) {
		s.press("4")
		s.wait(time.Second)
		s.shows("#1 verified", "received at 00:00:00")
	}, withKey(api))
}
