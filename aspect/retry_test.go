package aspect

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTemporaryFailuresAreTriedAgain(t *testing.T) {
	for _, test := range []struct {
		method string
		status int
		tries  int
	}{
		{"GET", 429, 4}, {"GET", 500, 4}, {"PUT", 502, 4}, {"DELETE", 503, 4}, {"GET", 408, 4},
		{"POST", 429, 4}, {"POST", 503, 4},
		{"POST", 500, 1}, {"POST", 502, 1}, {"POST", 504, 1},
		{"GET", 400, 1}, {"GET", 401, 1}, {"GET", 403, 1}, {"GET", 404, 1}, {"PUT", 422, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) { tries++; w.WriteHeader(test.status) })
			begin := time.Now()
			_, err := c.do(t.Context(), call{method: test.method, path: "/x"})
			took := time.Since(begin)
			if err == nil || tries != test.tries {
				t.Errorf("%s %d: %d tries, %v", test.method, test.status, tries, err)
			}
			// half a second, one and two, each times 0.5 to 1.5
			if test.tries == 4 && (took < 1750*time.Millisecond || took > 5250*time.Millisecond) {
				t.Errorf("%s %d took %v", test.method, test.status, took)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for header, want := range map[string]time.Duration{
			"7":           7 * time.Second,
			"in 30 s":     30 * time.Second,
			"an hour ago": 0,
			"0":           0,
			"soon":        0,
			"-5":          0,
		} {
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // dates know no fractions
			switch begin := time.Now().UTC(); header {
			case "in 30 s":
				header = begin.Add(30 * time.Second).Format(http.TimeFormat)
			case "an hour ago":
				header = begin.Add(-time.Hour).Format(http.TimeFormat)
			}
			tries := 0
			c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
				if tries++; tries == 1 {
					w.Header().Set("Retry-After", header)
					w.WriteHeader(429)
					return
				}
				w.Write([]byte("[]"))
			})
			begin := time.Now()
			must(c.ActiveTasks(t.Context()))(t)
			took := time.Since(begin)
			if want > 0 && took != want || want == 0 && (took < 250*time.Millisecond || took > 750*time.Millisecond) {
				t.Errorf("Retry-After %q: waited %v, want %v", header, took, want)
			}
		}
	})
}

func TestARetryAfterIsTakenAgainstTheServersClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	server := now.Add(-time.Hour) // its clock is late
	h := http.Header{"Date": {server.Format(http.TimeFormat)}, "Retry-After": {server.Add(10 * time.Second).Format(http.TimeFormat)}}
	if got := RetryAfter(h, now); got != 10*time.Second {
		t.Errorf("%v", got)
	}
}

func TestWhoIsToldToComeBackMuchLaterIsNotKeptWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		})
		begin := time.Now()
		_, err := c.ActiveTasks(t.Context())
		var refused *APIError
		if !errors.As(err, &refused) || refused.RetryAfter != time.Hour || time.Since(begin) > 0 {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestWaitingEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(503)
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Second, cancel)
		begin := time.Now()
		_, err := c.ActiveTasks(ctx)
		var refused *APIError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &refused) || time.Since(begin) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}

		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin = time.Now()
		_, err = c.ActiveTasks(ctx)
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "no time left") || time.Since(begin) != 0 {
			t.Errorf("a deadline before the next try: %v after %v", err, time.Since(begin))
		}
	})
}

func TestBrokenConnectionsAreTriedAgainWhereItDoesNoHarm(t *testing.T) {
	for method, want := range map[string]int32{"GET": 4, "PUT": 4, "DELETE": 4, "POST": 1} {
		synctest.Test(t, func(t *testing.T) {
			var tries atomic.Int32
			c := inMemory(t, func(http.ResponseWriter, *http.Request) { tries.Add(1); panic(http.ErrAbortHandler) })
			_, err := c.do(t.Context(), call{method: method, path: "/x", body: struct{}{}})
			if err == nil || tries.Load() != want || Undone(err) {
				t.Errorf("%s: %d tries, %v", method, tries.Load(), err)
			}
		})
	}
}

func TestAPOSTThatDidNotArriveIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}
		}}
		c, err := New(Config{Key: NewCredential(testKey), HTTP: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.CreateEndpoint(t.Context(), EndpointSpec{URL: "https://a.example"})
		if err == nil || dials != 4 || !Undone(err) {
			t.Errorf("%d dials, %v", dials, err)
		}
	})
}

func TestAPOSTUnderWayIsWaitedForAfterItsCallerGaveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delay := 3 * time.Second
		c := inMemory(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(delay)
			answer(w, 200, map[string]any{"endpoint": map[string]any{"id": "ep_1"}, "secret": testSecret})
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		created, err := c.CreateEndpoint(ctx, EndpointSpec{URL: "https://a.example"})
		if err != nil || created.Endpoint.ID != "ep_1" {
			t.Errorf("%+v, %v", created, err)
		}
		delay = time.Minute
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err = c.CreateEndpoint(ctx, EndpointSpec{URL: "https://a.example"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 6*time.Second || Undone(err) {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestAPOSTWithoutAConnectionEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			time.Sleep(10 * time.Second)
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("timed out")}
		}}
		c, err := New(Config{Key: NewCredential(testKey), HTTP: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		_, err = c.CreateEndpoint(ctx, EndpointSpec{URL: "https://a.example"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second || !Undone(err) {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		time.Sleep(10 * time.Second) // until the dial ends too
	})
}
