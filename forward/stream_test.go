package forward

import (
	"strings"
	"testing"

	"aspectop/model"
	"aspectop/sig"
)

// streamed is the n-th message of a task as the event stream brings it.
func streamed(task string, n int) *model.Delivery {
	d := message(task, n)
	d.ID, d.Source, d.Secret = model.StreamID(d.ID), model.SourceSSE, ""
	d.Header = map[string][]string{"Last-Event-Id": {"7"}, "Event": {"task"}}
	return d
}

func TestEventsOfTheStreamAreForwardedSignedByUs(t *testing.T) {
	for secret, options := range map[string]func(*Options){
		aspectSecret:  func(o *Options) { o.Resign = func(string) sig.Signer { return signerOf(aspectSecret) } },
		handlerSecret: func(o *Options) { o.Sign = signerOf(handlerSecret) },
	} {
		h := newHandler(t, nil)
		r := forwardTo(t, h.URL, options)
		twin := message("a", 1)
		twin.Twin = streamed("a", 1).ID
		r.append(streamed("a", 1), message("b", 1), twin)
		r.append(streamed("a", 2))
		if f := r.settled(1); !f.Resigned || !f.Delivered() {
			t.Errorf("%+v", f)
		}
		r.settled(4)
		r.idle()
		if got := h.ids(); len(got) != 3 {
			t.Errorf("the handler got %q", got)
		}
		for _, q := range h.requests() {
			if secret == handlerSecret || q.id() != "msg_b_1" {
				verifies(t, secret, q)
			}
			if q.Header.Get("Content-Type") != "application/json" || q.Header.Get("Last-Event-Id") != "" {
				t.Errorf("%s has the headers %v", q.id(), q.Header)
			}
		}
		if err := r.Retry(t.Context(), 1); err != nil {
			t.Error(err)
		}
	}
}

func TestWithoutASecretNothingOfTheStreamIsOwedAndThatIsSaid(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL)
	r.append(streamed("a", 1), streamed("a", 2), message("b", 1))
	r.settled(3)
	r.idle()
	if got := h.ids(); len(got) != 1 || got[0] != "msg_b_1" {
		t.Errorf("the handler got %q", got)
	}
	if q := r.Queue(); q.Left() != 0 || q.Delivered != 1 {
		t.Errorf("the queue is %+v", q)
	}
	said := 0
	entries, _, _ := r.status.After(0)
	for _, e := range entries {
		if strings.Contains(e.Notice, "no secret is known to sign them with") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it was said %d times: %+v", said, entries)
	}
}
