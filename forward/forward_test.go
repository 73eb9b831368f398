package forward

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

// inOrder checks that each message came exactly so often, those of a task in
// the order of their numbers.
func inOrder(t *testing.T, got []request, want int) {
	t.Helper()
	last, seen := map[string]int{}, map[string]bool{}
	for _, q := range got {
		if seen[q.id()] {
			t.Errorf("%s came twice", q.id())
		}
		seen[q.id()] = true
		_, rest, _ := strings.Cut(q.id(), "_")
		task, number, _ := strings.Cut(rest, "_")
		var n int
		fmt.Sscan(number, &n)
		if before, ok := last[task]; ok && n <= before {
			t.Errorf("task %s: message %d came after %d", task, n, before)
		}
		last[task] = n
	}
	if len(seen) != want {
		t.Errorf("%d messages came, want %d", len(seen), want)
	}
}

func TestMessagesArriveOnceAndInOrderForEachTask(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL+"/hook")
	for n := range 200 {
		r.append(message(fmt.Sprint("t", n%7), n))
	}
	r.idle()
	inOrder(t, h.requests(), 200)
	for _, q := range h.requests() {
		verifies(t, aspectSecret, q)
	}
	f := r.outcome(1)
	if f.Status != 204 || !f.Final || f.Tries != 1 || f.Resigned || f.Error != "" || f.Latency <= 0 || f.To != h.URL+"/hook" {
		t.Errorf("the outcome is %+v", f)
	}
	if told := forwards(r.status); len(told) != 200 {
		t.Errorf("the status log was told of %d tries", len(told))
	}
}

func TestPingsAndWhatIsNoEnvelopeAreForwardedButRepeatsAndSnapshotsAreNot(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL)
	ping, other := message("", 1), message("", 2)
	other.Body = []byte("no JSON")
	snapshot, last := message("t", 3), message("t", 4)
	snapshot.Source = model.SourceAPI
	repeat := message("", 1)
	r.append(ping, repeat, other, snapshot, last)
	r.settled(last.Seq)
	r.idle()
	got := h.ids()
	slices.Sort(got)
	if want := []string{ping.ID, other.ID, last.ID}; !slices.Equal(got, want) {
		t.Errorf("%v came, want %v", got, want)
	}
}

func TestOneStuckTaskDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		if strings.HasPrefix(q.id(), "msg_stuck_") {
			select {
			case <-release:
			case <-q.Context().Done():
			}
		}
		w.WriteHeader(204)
	})
	r := forwardTo(t, h.URL)
	for n := range 300 {
		r.append(message("stuck", n), message(fmt.Sprint("fine", n%9), n))
	}
	until(t, "the others are delivered", func() bool { return r.Queue().Delivered == 300 })
	if q := r.Queue(); q.InFlight != 1 || q.Waiting != 299 {
		t.Errorf("the queue is %+v", q)
	}
	if cursor, _, _ := r.reader.ForwardCursor(t.Context(), r.target.key); cursor != 0 {
		t.Errorf("the cursor is %d, and message 1 is on its way", cursor)
	}
	close(release)
	r.idle()
	inOrder(t, h.requests(), 600)
}

func TestHandlersThatHangNeverDelayTheAcknowledgement(t *testing.T) {
	release := make(chan struct{})
	h := newHandler(t, func(_ http.ResponseWriter, q request) { <-release })
	r := forwardTo(t, h.URL)
	defer close(release)
	var slowest time.Duration
	for n := range 300 {
		began := time.Now()
		r.append(message(fmt.Sprint("t", n), 1))
		slowest = max(slowest, time.Since(began))
	}
	if r.Queue().Delivered != 0 || slowest > 5*time.Second {
		t.Errorf("an append took %v", slowest)
	}
	until(t, "16 are in flight", func() bool { return r.Queue().InFlight == maxInFlight })
	if got := len(h.requests()); got > maxInFlight {
		t.Errorf("%d requests at a time", got)
	}
}

func TestANewTargetStartsNowAndAKnownOneGoesOn(t *testing.T) {
	j := newJournal(t)
	old := message("t", 0)
	if err := j.Append(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	h, other := newHandler(t, nil), newHandler(t, nil)
	r := forwardFrom(t, j, h.URL)
	r.append(message("t", 1))
	r.idle()
	r.stop()
	r.append(message("t", 2), message("t", 3)) // while nobody forwards
	r = forwardFrom(t, j, h.URL)
	fresh := forwardFrom(t, j, other.URL)
	r.append(message("t", 4))
	r.idle()
	fresh.idle()
	if want := []string{"msg_t_1", "msg_t_2", "msg_t_3", "msg_t_4"}; !slices.Equal(h.ids(), want) {
		t.Errorf("the known one got %v, want %v", h.ids(), want)
	}
	if want := []string{"msg_t_4"}; !slices.Equal(other.ids(), want) {
		t.Errorf("the new one got %v, want %v", other.ids(), want)
	}
	found, err := r.reader.Forwards(t.Context(), 5)
	if err != nil || len(found) != 2 || found[0].To == found[1].To {
		t.Errorf("of message 5 is known %+v (%v)", found, err)
	}
}

func TestAnAddressWrittenAnotherWayGoesOnWhereItWas(t *testing.T) {
	for name, c := range map[string]struct{ kept, hashed, now string }{ // %s is the handler's port
		"by this version":               {"http://localhost:%s/a~b", "http://localhost:%s/a~b", "http://LOCALHOST:%s/a%%7eb"},
		"by an earlier one":             {"http://LOCALHOST:%s/a", "http://LOCALHOST:%s/a", "http://localhost:%s/a"},
		"by an earlier one, with query": {"http://LOCALHOST:%s/a?…", "http://LOCALHOST:%s/a?k=s3cr3t", "http://localhost:%s/a?k=s3cr3t"},
	} {
		t.Run(name, func(t *testing.T) {
			h, j := newHandler(t, nil), newJournal(t)
			at := func(format string) string { return fmt.Sprintf(format, h.URL[strings.LastIndexByte(h.URL, ':')+1:]) }
			for n := range 3 {
				if err := j.Append(t.Context(), message("t", n+1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := j.SaveForwards(hashed(at(c.hashed)), at(c.kept), 1, nil); err != nil {
				t.Fatal(err)
			}
			r := forwardFrom(t, j, at(c.now))
			r.idle()
			if want := []string{"msg_t_2", "msg_t_3"}; !slices.Equal(h.ids(), want) {
				t.Errorf("it got %v, want %v", h.ids(), want)
			}
			if targets, err := r.reader.ForwardTargets(t.Context()); err != nil || len(targets) != 1 || targets[0].Cursor != 3 {
				t.Errorf("the journal has %+v (%v)", targets, err)
			}
		})
	}
}

func TestANewTargetGetsWhatArrivesBetweenNewAndRun(t *testing.T) {
	m := newMemory()
	m.append(message("t", 1))
	h := newHandler(t, nil)
	folded, end := folding(t, m)
	defer end()
	f, err := New(t.Context(), Options{Target: Target{URL: h.URL}, Feed: folded, Journal: m, Outcomes: m, Status: model.NewStatusLog(100)})
	if err != nil {
		t.Fatal(err)
	}
	m.append(message("t", 2))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go f.Run(ctx)
	until(t, "one is delivered", func() bool { return f.Queue().Delivered == 1 })
	if got := h.ids(); !slices.Equal(got, []string{"msg_t_2"}) {
		t.Errorf("%v came", got)
	}
}

func TestWhatWasSettledAboveAStuckMessageIsNotPostedAgainAfterARestart(t *testing.T) {
	j := newJournal(t)
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		if q.id() == "msg_stuck_0" {
			w.WriteHeader(500)
			return
		}
		w.WriteHeader(204)
	})
	r := forwardFrom(t, j, h.URL)
	r.append(message("stuck", 0))
	for n := range 100 {
		r.append(message(fmt.Sprint("fine", n), 1))
	}
	until(t, "the others are delivered", func() bool { return r.Queue().Delivered == 100 })
	r.stop()
	h.mu.Lock()
	h.got, h.answer = nil, nil
	h.mu.Unlock()
	r = forwardFrom(t, j, h.URL)
	r.idle()
	if got := h.ids(); !slices.Equal(got, []string{"msg_stuck_0"}) {
		t.Errorf("after the restart came %v", got)
	}
}

// endedBy forwards to a handler that answers w, ends it with this cause when
// before returns, and returns how long that takes and what is left.
func endedBy(t *testing.T, w wire, cause error, before func(m *memory)) (took time.Duration, q model.Queue) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		ctx, cancel := context.WithCancelCause(context.Background())
		folded, end := folding(t, m)
		defer end()
		f, err := New(ctx, Options{Target: Target{URL: "http://handler.test/"}, Feed: folded, Journal: m, Outcomes: m, Status: model.NewStatusLog(100)})
		if err != nil {
			t.Fatal(err)
		}
		f.target.lines.open = func() http.RoundTripper { return w }
		ended := make(chan error)
		go func() { ended <- f.Run(ctx) }()
		before(m)
		began := time.Now()
		cancel(cause)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		took, q = time.Since(began), f.Queue()
	})
	return took, q
}

func TestAtTheEndWhatCanBeDoneInTwoSecondsIs(t *testing.T) {
	slow := func(r *http.Request) (*http.Response, error) {
		time.Sleep(100 * time.Millisecond)
		return reply(204)
	}
	took, q := endedBy(t, slow, nil, func(m *memory) {
		for n := range 15 { // one after the other
			m.append(message("t", n))
		}
		time.Sleep(250 * time.Millisecond)
	})
	if q.Delivered != 15 || took > Drain || took < time.Second {
		t.Errorf("after %v: %+v", took, q)
	}
}

func TestAtTheEndARetryIsWaitedForIfItIsNear(t *testing.T) {
	for _, c := range []struct {
		fails     int
		most      time.Duration
		delivered int
	}{
		{1, time.Second, 1},
		{2, 0, 0}, // the third try is seconds away
	} {
		tries := 0
		flaky := func(*http.Request) (*http.Response, error) {
			if tries++; tries <= c.fails {
				return reply(500)
			}
			return reply(204)
		}
		took, q := endedBy(t, flaky, nil, func(m *memory) {
			m.append(message("t", 1), message("t", 2))
			time.Sleep(time.Duration(c.fails)*time.Second - 500*time.Millisecond)
		})
		if took > c.most+10*time.Millisecond || min(q.Delivered, 1) != c.delivered {
			t.Errorf("a message that failed %d times: ended after %v with %+v", c.fails, took, q)
		}
	}
}

func TestAJobThatWasLostEndsWithoutAnotherRequest(t *testing.T) {
	took, q := endedBy(t, func(*http.Request) (*http.Response, error) { return reply(500) }, journal.ErrLeaseLost, func(m *memory) {
		m.append(message("t", 1))
		time.Sleep(500 * time.Millisecond)
	})
	if took > 0 || q.Retrying != 1 {
		t.Errorf("ended after %v with %+v", took, q)
	}
}

func TestAtTheEndAHandlerThatHangsIsWaitedForTwoSeconds(t *testing.T) {
	inVirtualTime(t, silence, func(v *virtual) {
		m := v.journal
		m.append(message("t", 1))
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(context.Background())
		f, err := New(ctx, Options{Target: Target{URL: "http://handler.test/second"}, Feed: v.options.Feed, Journal: m, Outcomes: m, Status: model.NewStatusLog(100)})
		if err != nil {
			t.Fatal(err)
		}
		f.target.lines.open = v.target.lines.open
		m.append(message("t", 2))
		ended := make(chan error)
		go func() { ended <- f.Run(ctx) }()
		time.Sleep(time.Second)
		began := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(began) != Drain {
			t.Errorf("it ended after %v: %v", time.Since(began), err)
		}
		if f := m.outcome(2); f.Tries != 0 {
			t.Errorf("what was cut short counts as a try: %+v", f)
		}
	})
}
