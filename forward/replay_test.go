package forward

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/sig"
)

func mustReplay(t *testing.T, o ReplayOptions) *Replay {
	t.Helper()
	p, err := NewReplay(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAReplayIsSignedAnewWithTheSameID(t *testing.T) {
	h := newHandler(t, nil)
	d := messageAt("t", 1, time.Now().Add(-48*time.Hour))
	d.Header["X-Kept"] = []string{"a", "b"}
	f := mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}, Sign: signerOf(handlerSecret)}).Post(t.Context(), d)
	if !f.Resigned || !f.Final || !f.Delivered() || f.Tries != 1 || f.Status != 204 || f.Hint != "" {
		t.Errorf("%+v", f)
	}
	q := h.requests()[0]
	verifies(t, handlerSecret, q)
	sameText(t, "the id", q.id(), d.ID)
	sameText(t, "the body", string(q.body), string(d.Body))
	if got := q.Header.Values("X-Kept"); len(got) != 2 {
		t.Errorf("X-Kept is %q", got)
	}
}

func TestAReplayMayHaveANewIDEachTime(t *testing.T) {
	h := newHandler(t, nil)
	p := mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}, Sign: signerOf(aspectSecret), NewID: true})
	d := message("t", 1)
	p.Post(t.Context(), d)
	p.Post(t.Context(), d)
	ids := map[string]bool{d.ID: true}
	for _, q := range h.requests() {
		ids[q.id()] = true
		verifies(t, aspectSecret, q)
	}
	if len(ids) != 3 {
		t.Errorf("the ids are %v", ids)
	}
	if _, err := NewReplay(ReplayOptions{Target: Target{URL: h.URL}, NewID: true}); err == nil {
		t.Error("a new id goes with the old signature")
	}
}

func TestAReplayCarriesTheEditedBody(t *testing.T) {
	h := newHandler(t, nil)
	d := message("t", 1)
	d.Body = []byte(`{"edited":true}`)
	mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}, Sign: signerOf(aspectSecret)}).Post(t.Context(), d)
	sameText(t, "the body", string(h.requests()[0].body), `{"edited":true}`)
	verifies(t, aspectSecret, h.requests()[0])
}

func TestAVerbatimReplayChangesNothingAndSaysWhatItsAgeMeans(t *testing.T) {
	for _, c := range []struct {
		code int
		age  time.Duration
		says []string
	}{
		{204, time.Minute, nil},
		{204, time.Hour, []string{"1h0m", "should refuse"}},
		{400, time.Hour, []string{"1h0m", "--verbatim"}},
		{404, time.Hour, []string{"nothing is at POST"}},
		{502, time.Hour, []string{"a proxy in front of the handler"}},
	} {
		h := newHandler(t, status(c.code))
		d := messageAt("t", 1, time.Now().Add(-c.age))
		f := mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}}).Post(t.Context(), d)
		q := h.requests()[0]
		for _, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
			sameText(t, name, q.Header.Get(name), http.Header(d.Header).Get(name))
		}
		if f.Resigned || !f.Final || len(c.says) == 0 && f.Hint != "" {
			t.Errorf("%+v", f)
		}
		has(t, f.Hint, c.says...)
		if c.code > 400 && strings.Contains(f.Hint, "1h0m") {
			t.Errorf("%d is for its age: %s", c.code, f.Hint)
		}
		if old := c.age > sig.Tolerance; Stale(d, time.Now()) != old {
			t.Errorf("%v old: stale is %v", c.age, !old)
		}
	}
}

func TestWhatIsNoWebhookIsNotReplayed(t *testing.T) {
	h := newHandler(t, nil)
	p := mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}, Sign: signerOf(aspectSecret)})
	snapshot, repeat, different, streamed := message("t", 1), message("t", 2), message("t", 3), message("t", 4)
	snapshot.Source = model.SourceAPI
	repeat.Seq, repeat.Message, repeat.Body = 9, 2, nil
	different.Seq, different.Message, different.Differs = 10, 3, true
	streamed.Source, streamed.Header = model.SourceSSE, nil
	has(t, p.Post(t.Context(), snapshot).Error, "API")
	has(t, p.Post(t.Context(), repeat).Error, "duplicate of 2")
	for _, d := range []*model.Delivery{different, streamed} {
		if f := p.Post(t.Context(), d); !f.Delivered() {
			t.Errorf("%+v", f)
		}
	}
	if got := h.requests(); len(got) != 2 {
		t.Errorf("%d requests", len(got))
	} else {
		verifies(t, aspectSecret, got[1])
	}
}

func TestAReplayEndsWithItsContext(t *testing.T) {
	h := newHandler(t, func(_ http.ResponseWriter, q request) { <-q.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		until(t, "it arrived", func() bool { return len(h.requests()) == 1 })
		cancel()
	}()
	f := mustReplay(t, ReplayOptions{Target: Target{URL: h.URL}}).Post(ctx, message("t", 1))
	if f.Delivered() || f.Status != 0 || f.Error != context.Canceled.Error() {
		t.Errorf("%+v", f)
	}
}

// asked is what Resend makes of the message, which it must post at once.
func asked(t *testing.T, f *Forwarder, d model.Delivery, body []byte) model.Forward {
	t.Helper()
	retrying, out, err := Resend(context.Background(), []*Forwarder{f}, d, body)
	if err != nil || len(retrying) > 0 {
		t.Fatalf("tried again at %q, %v", retrying, err)
	}
	return out
}

func TestTheOutcomeOfAResendIsStoredAndReported(t *testing.T) {
	j := newJournal(t)
	code := 404
	h := newHandler(t, func(w http.ResponseWriter, _ request) {
		w.WriteHeader(code)
		w.Write([]byte("in words"))
	})
	r := forwardFrom(t, j, h.URL)
	d := message("t", 1)
	r.append(d, message("t", 2))
	r.settled(2)
	code = 200
	out := asked(t, r.Forwarder, *d, nil)
	if out.Status != 200 || !out.Resigned {
		t.Errorf("%+v", out)
	}
	verifies(t, aspectSecret, h.requests()[2])
	if tries := forwards(r.status); len(tries) != 3 || tries[2].Seq != 1 || tries[2].Status != 200 || tries[2].Body != nil {
		t.Errorf("reported: %+v", tries)
	}
	r.stop()
	code = 500
	edited := asked(t, r.Forwarder, *d, []byte(`{"edited":1}`)) // another message
	if edited.Status != 500 || h.requests()[3].id() == d.ID {
		t.Errorf("%+v as %s", edited, h.requests()[3].id())
	}
	again := forwardFrom(t, j, h.URL)
	again.append(message("t", 3))
	until(t, "the third came", func() bool { return len(h.requests()) == 5 })
	if f := again.outcome(1); f.Status != 200 || string(f.Body) != "in words" || !f.Final {
		t.Errorf("after a restart: %+v", f)
	}
}

// A message that the queue still has to deliver stays in it if it is also replayed, and
// after a restart.
func TestAResendThatFailsDoesNotSettleWhatIsQueued(t *testing.T) {
	inVirtualTime(t, func(*http.Request) (*http.Response, error) { return reply(500) }, func(v *virtual) {
		d := message("t", 1)
		v.journal.append(d)
		time.Sleep(10 * time.Second)
		if out := asked(t, v.Forwarder, *d, nil); out.Status != 500 {
			t.Errorf("%+v", out)
		}
		if f := v.journal.outcome(1); f.Final || f.Tries != 1 {
			t.Errorf("stored: %+v", f)
		}
		if settled, _ := v.journal.SettledForwards(t.Context(), "", 0, 1); len(settled) > 0 {
			t.Error("after a restart it is not tried again")
		}
		v.journal.failSaving(errors.New("disk full"))
		asked(t, v.Forwarder, *d, nil)
		if texts := notices(v.status); len(texts) == 0 || !strings.Contains(texts[len(texts)-1], "replay of #1 is not kept: disk full") {
			t.Errorf("notices: %q", texts)
		}
		v.journal.failSaving(nil)
	})
}

// A handler whose filter leaves a message out has none of it in its queue.
func TestAResendOfWhatAHandlersFilterLeavesOutIsFinal(t *testing.T) {
	h := newHandler(t, status(500))
	r := forwardTo(t, h.URL, func(o *Options) { o.Filter = func(*feed.Arrival) bool { return false } })
	d := message("t", 1)
	r.append(d)
	until(t, "it was read", func() bool { return !r.Queue().More })
	if out := asked(t, r.Forwarder, *d, nil); out.Status != 500 {
		t.Errorf("%+v", out)
	}
	if f := r.outcome(1); f.Status != 500 || !f.Final {
		t.Errorf("it is kept as %+v", f)
	}
}
