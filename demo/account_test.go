package demo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/aspect"
	"aspectop/demo"
	"aspectop/forward"
)

// A scenario is played to the demo's own handler; the client of the API then reads what the
// account says of it.
func TestTheAccountTellsWhatWasSentAndTheHandlerFailsNowAndThen(t *testing.T) {
	hook, err := svix.NewWebhookRaw([]byte("a secret of twenty-four b"))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(id string, at time.Time, body []byte) string {
		s, err := hook.Sign(id, at, body)
		if err != nil {
			t.Error(err)
		}
		return s
	}
	account := new(demo.Account)
	handler := httptest.NewServer(&demo.Handler{Sign: sign})
	defer handler.Close()
	api := httptest.NewServer(account)
	defer api.Close()
	client, err := aspect.New(aspect.Config{BaseURL: api.URL, Key: aspect.NewCredential("demo")})
	if err != nil {
		t.Fatal(err)
	}

	var mu sync.Mutex
	statuses := map[string][]int{} // by message
	s := &demo.Sender{URL: handler.URL, Sign: sign, Observe: func(m demo.Message, a forward.Answer, err error) {
		mu.Lock()
		statuses[m.ID] = append(statuses[m.ID], a.Status)
		mu.Unlock()
		account.Observe(m, a, err)
	}}
	ctx := context.Background()
	for i := range int64(45) {
		m := demo.Event{Type: "task.progress", At: time.Now()}.Message(i)
		for range 2 {
			if _, err := s.Post(ctx, m); err != nil {
				t.Fatal(err)
			}
			if mu.Lock(); statuses[m.ID][0] == http.StatusNoContent {
				mu.Unlock()
				break
			}
			mu.Unlock()
		}
	}
	forged := demo.Event{Type: "task.progress", At: time.Now()}.Message(99)
	forged.Break = demo.BreakSecret
	if status, err := s.Post(ctx, forged); err != nil || status != http.StatusBadRequest {
		t.Errorf("a forgery is answered %d, %v", status, err)
	}

	var seen []int
	for id, of := range statuses {
		if id == forged.ID {
			continue
		}
		seen = append(seen, of[0])
		if of[len(of)-1] != http.StatusNoContent {
			t.Errorf("a message that is sent again gets %d", of)
		}
	}
	for _, want := range []int{204, 422, 503} {
		if !slices.Contains(seen, want) {
			t.Errorf("the handler never answers %d: %d", want, seen)
		}
	}

	messages, err := client.Messages(ctx, 100)
	if err != nil || len(messages) != 45 {
		t.Fatalf("the account tells of %d messages, %v; want 45, without the forgery", len(messages), err)
	}
	for _, m := range messages {
		attempts, err := client.AttemptsByMessage(ctx, m.ID, 10)
		var codes []int
		for _, a := range attempts {
			codes = append(codes, a.ResponseCode)
		}
		if err != nil || !slices.Equal(codes, statuses[m.ID]) || m.Status != "success" || m.TaskID == "" || m.EventType != "task.progress" {
			t.Fatalf("message %+v with the attempts %d, %v; want %d", m, codes, err, statuses[m.ID])
		}
	}
	if a, err := client.Asset(ctx, "some-asset"); err != nil || a.Name == "" {
		t.Errorf("the asset is %+v, %v", a, err)
	}
}
