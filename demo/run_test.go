package demo

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestDurationIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recorder
		s := r.sender(t)
		if err := Run(t.Context(), s, Options{Duration: 90 * time.Second}); err != nil {
			t.Error(err)
		}
		if took := time.Since(r.start); took != 90*time.Second {
			t.Errorf("ran for %v, want 1m30s", took)
		}
	})
}

func TestTheNumberOfTasksIsKeptAndRunEndsWithTheLast(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 25} {
		got := play(t, Options{Seed: 3, Tasks: n})
		b := board(got)
		if b.Len() != n {
			t.Errorf("Tasks %d: %d came", n, b.Len())
		}
		for i := range b.Len() {
			if !b.At(i).State().Terminal() {
				t.Errorf("Tasks %d: task %d is left %s", n, i, b.At(i).State())
			}
		}
	}
}

func TestTheRateIsKept(t *testing.T) {
	for _, rate := range []float64{0, 4, 12, 60, 240} {
		got := play(t, Options{Seed: 4, Rate: rate, Duration: 5 * time.Minute})
		if rate == 0 {
			rate = 12
		}
		want := int(rate * 5)
		if n := board(got).Len(); n < want*85/100 || n > want*115/100+3 {
			t.Errorf("at %v a minute %d tasks came in five, want about %d", rate, n, want)
		}
	}
}

func TestRunEndsAtOnceWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left behind
		hanging := recorder{}
		hanging.answer = func(n int, a arrival) (int, error) {
			if n > 20 {
				time.Sleep(time.Hour)
			}
			return http.StatusServiceUnavailable, nil // so that retries are waiting as well
		}
		s := hanging.sender(t)
		s.Transport = cancellable{&hanging}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Second, cancel)
		if err := Run(ctx, s, Options{}); err != nil {
			t.Errorf("Run: %v, want nil, as the end was asked for", err)
		}
		if took := time.Since(hanging.start); took != 10*time.Second {
			t.Errorf("it took %v, want 10s", took)
		}
		time.Sleep(2 * time.Hour) // lets the hanging receiver go
	})
}

// cancellable gives an answer up when the request ends, as net/http does.
type cancellable struct{ http.RoundTripper }

func (c cancellable) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	done := make(chan result, 1)
	go func() {
		resp, err := c.RoundTripper.RoundTrip(req)
		done <- result{resp, err}
	}()
	select {
	case r := <-done:
		return r.resp, r.err
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

func TestOptionsOutOfRangeAreRefused(t *testing.T) {
	for want, o := range map[string]Options{
		"rate of -1":   {Rate: -1},
		"rate of +Inf": {Rate: math.Inf(1)},
		"rate of NaN":  {Rate: math.NaN()},
	} {
		if err := Run(t.Context(), &Sender{}, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestEvenExtremeRatesEnd(t *testing.T) {
	for _, rate := range []float64{1e-300, 1e-6, 60_000} {
		if n := board(play(t, Options{Rate: rate, Tasks: 5})).Len(); n != 5 {
			t.Errorf("at %v a minute %d tasks came, want 5", rate, n)
		}
	}
}
