package demo

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAReceiverThatCannotBeReachedIsAnErrorAtOnce(t *testing.T) {
	url := "http://" + closedPort(t) + "/webhooks/aspect"
	sign := signer(library(t))
	err := Run(t.Context(), &Sender{URL: url, Sign: sign}, Options{})
	if err == nil || !strings.Contains(err.Error(), url) || !strings.Contains(err.Error(), "nothing listens on") {
		t.Errorf("error %v, want one that names %s", err, url)
	}
}

var errGone = errors.New("connection refused")

func TestAReceiverThatGoesAwayForGoodIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		r.answer = func(int, arrival) (int, error) {
			if time.Since(r.start) > 20*time.Second {
				return 0, errGone
			}
			return http.StatusNoContent, nil
		}
		err := Run(t.Context(), r.sender(t), Options{})
		if !errors.Is(err, errGone) || !strings.Contains(err.Error(), "http://receiver.test/webhooks/aspect") {
			t.Errorf("error %v, want one with the cause and the URL", err)
		}
		if took := time.Since(r.start); took > 70*time.Second {
			t.Errorf("that was found out only after %v", took)
		}
	})
}

func TestARestartedReceiverMissesNothing(t *testing.T) {
	o := Options{Seed: 6, Tasks: 8}
	want := play(t, o)
	synctest.Test(t, func(t *testing.T) {
		accepted := map[string]bool{}
		r := recorder{}
		r.answer = func(_ int, a arrival) (int, error) {
			switch at := time.Since(r.start); {
			case at > 10*time.Second && at < 15*time.Second:
				return 0, errGone
			case at >= 15*time.Second && at < 18*time.Second:
				return http.StatusServiceUnavailable, nil
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			accepted[a.id()] = true
			return http.StatusNoContent, nil
		}
		if err := Run(t.Context(), r.sender(t), o); err != nil {
			t.Error(err)
		}
		for _, a := range want {
			if a.ok && !accepted[a.id()] {
				t.Errorf("%s (%s) never arrived", a.id(), a.event.Type)
			}
		}
	})
}

func TestARefusedMessageIsTriedAgainWithTheSameIDAndBodySignedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{answer: func(n int, _ arrival) (int, error) { return http.StatusInternalServerError, nil }}
		s, err := parse("one", "at 0s task a clip")
		if err != nil {
			t.Fatal(err)
		}
		err = Run(t.Context(), r.sender(t), Options{Scenario: s})
		if err == nil || !strings.Contains(err.Error(), "rejected 1 valid message") || !strings.Contains(err.Error(), "500") {
			t.Errorf("error %v, want one that tells of the refused message and the status 500", err)
		}
		var pauses []time.Duration
		for i, a := range r.arrivals[1:] {
			first := r.arrivals[0]
			if a.id() != first.id() || string(a.body) != string(first.body) {
				t.Errorf("attempt %d is another message", i+2)
			}
			if !a.ok || a.header.Get("svix-timestamp") == first.header.Get("svix-timestamp") {
				t.Errorf("attempt %d is not re-signed", i+2)
			}
			pauses = append(pauses, a.after-r.arrivals[i].after)
		}
		if !slices.Equal(pauses, retries) {
			t.Errorf("the attempts came after %v, want %v", pauses, retries)
		}
	})
}

func TestABrokenMessageIsNotTriedAgain(t *testing.T) {
	s, err := parse("one", "at 0s ping break=secret\nat 1s ping")
	if err != nil {
		t.Fatal(err)
	}
	if got := play(t, Options{Scenario: s}); len(got) != 2 || got[0].ok || !got[1].ok {
		t.Errorf("%d arrivals, want a broken one and a right one", len(got))
	}
}

func TestASlowReceiverGetsEachTasksEventsInOrderAndFewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var (
			now, most atomic.Int32
			mu        sync.Mutex
			handled   []arrival
		)
		r := recorder{answer: func(n int, a arrival) (int, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Duration(n*n%31) * 100 * time.Millisecond) // up to 3 s, at random
			now.Add(-1)
			mu.Lock()
			defer mu.Unlock()
			a.event.Seq = int64(len(handled) + 1)
			a.event.Message = a.event.Seq
			handled = append(handled, a)
			return http.StatusNoContent, nil
		}}
		if err := Run(t.Context(), r.sender(t), Options{Scenario: load(t, "burst")}); err != nil {
			t.Error(err)
		}
		if n := len(late(handled)); n > 0 {
			t.Errorf("%d of %d events were overtaken", n, len(handled))
		}
		if most.Load() != inFlight {
			t.Errorf("%d requests at once, want at most %d, and not fewer when they are slow", most.Load(), inFlight)
		}
	})
}

func TestAReceiverThatIsSlowAtFirstIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder{answer: func(n int, _ arrival) (int, error) {
			if n == 1 {
				time.Sleep(time.Minute) // a breakpoint in somebody's handler
			}
			return http.StatusNoContent, nil
		}}
		s := r.sender(t)
		s.Transport = cancellable{&r}
		upload := load(t, "upload")
		if err := Run(t.Context(), s, Options{Scenario: upload}); err != nil {
			t.Error(err)
		}
		if want := len(upload.steps) + 1; len(r.arrivals) != want {
			t.Errorf("%d requests, want %d", len(r.arrivals), want)
		}
		time.Sleep(time.Minute) // lets the slow answer go
	})
}
