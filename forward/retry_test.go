package forward

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/model"
)

func TestRetryPostsAgainWhatWasGivenUpRefusedOrDelivered(t *testing.T) {
	for _, code := range []int{204, 404, 500} {
		var log tries
		answer := func(r *http.Request) (*http.Response, error) { log.note(r); return reply(code) }
		inVirtualTime(t, answer, func(v *virtual) {
			v.journal.append(message("t", 1), message("t", 2))
			time.Sleep(time.Hour)
			before := log.len()
			code = 200
			if err := v.Retry(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if f := v.journal.outcome(1); log.len() != before+1 || f.Status != 200 || f.Tries != 1 || !f.Final || f.GaveUp {
				t.Errorf("%d further requests: %+v", log.len()-before, f)
			}
			if cursor, _, _ := v.journal.ForwardCursor(t.Context(), v.target.key); cursor != 2 {
				t.Errorf("the cursor is %d", cursor)
			}
		})
	}
}

// The next process would not go on with it.
func TestWhatRetryHasNotDoneStaysGivenUpAndIsTold(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) { log.note(r); return reply(500) }
	var ended *virtual
	inVirtualTime(t, answer, func(v *virtual) {
		ended = v
		v.journal.append(message("t", 1))
		time.Sleep(time.Hour)
		before := log.len()
		if err := v.Retry(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		if f := v.journal.outcome(1); log.len() != before+1 || f.Tries != 1 || !f.Final || !f.GaveUp {
			t.Errorf("after %d further tries it is kept as %+v", log.len()-before, f)
		}
		if q := v.Queue(); q.Left() != 1 {
			t.Errorf("the queue is %+v", q)
		}
	})
	if q := ended.Queue(); q.Left() != 0 {
		t.Errorf("at the end the queue is %+v", q)
	}
	sameText(t, "the notice", notices(ended.status)[0], "1 message, sent again on request, stays given up: http://handler.test/hook has not taken it")
}

func TestRetryDoesNotWaitForTheNextTryAndBeginsAnew(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) { log.note(r); return reply(500) }
	inVirtualTime(t, answer, func(v *virtual) {
		d := message("t", 1)
		v.journal.append(d, message("t", 2))
		time.Sleep(100 * time.Second)
		if err := v.Retry(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got, want := log.of(d.ID, v.began), []int{0, 1, 5, 20, 65, 100, 101, 105, 120, 165, 270, 510, 810}; !slices.Equal(got, want) {
			t.Errorf("tried after %v s, want %v", got, want)
		}
	})
}

func TestRetryOfWhatWasNotReadYetPostsItOnce(t *testing.T) {
	var log tries
	answer := func(r *http.Request) (*http.Response, error) { log.note(r); return reply(204) }
	inVirtualTime(t, answer, func(v *virtual) {
		for n := range 10 * batch {
			v.journal.append(message("t", n))
		}
		if err := v.Retry(t.Context(), 10*batch); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if log.len() != 10*batch {
			t.Errorf("%d requests for %d messages", log.len(), 10*batch)
		}
	})
}

func TestRetryOfARepeatMeansItsMessage(t *testing.T) {
	h := newHandler(t, nil)
	r := forwardTo(t, h.URL)
	r.append(message("t", 1), message("t", 1))
	r.settled(1)
	if err := r.Retry(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	until(t, "it came again", func() bool { return len(h.requests()) == 2 })
	verifies(t, aspectSecret, h.requests()[1])
}

func TestRetryOfWhatIsNoWebhookIsAnError(t *testing.T) {
	m := newMemory()
	snapshot := message("t", 1)
	snapshot.Source = model.SourceAPI
	m.append(snapshot)
	folded, end := folding(t, m)
	defer end()
	f, err := New(t.Context(), Options{Target: Target{URL: "http://127.0.0.1:1"}, Feed: folded, Journal: m, Outcomes: m, Status: model.NewStatusLog(100)})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Retry(t.Context(), 1); err == nil {
		t.Error("a snapshot is taken")
	}
	if err := f.Retry(t.Context(), 2); !errors.Is(err, journal.ErrNotFound) {
		t.Errorf("of a number that was never given: %v", err)
	}
}

func TestRetryGoesPastThoseThatWaitButNotPastOneInFlight(t *testing.T) {
	now := time.Now()
	s := newPartitions()
	for seq := range int64(5) {
		s.add("t", seq, now)
	}
	l := s.take(now, false)
	s.putFirst("t", 3, now)
	s.putFirst("t", 0, now) // in flight
	s.putFirst("t", 9, now) // settled long ago
	if got := fmt.Sprint(numbers(l)); got != "[0 9 3 1 2 4]" {
		t.Errorf("with the first in flight: %s", got)
	}
	l.place = nowhere
	l.items = l.items[1:]
	s.put(l, now)
	s.putFirst("t", 4, now)
	if got := fmt.Sprint(numbers(l)); got != "[4 9 3 1 2]" {
		t.Errorf("with none in flight: %s", got)
	}
}

func numbers(l *partition) (seqs []int64) {
	for _, i := range l.items {
		seqs = append(seqs, i.seq)
	}
	return seqs
}
