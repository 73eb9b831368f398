package tunnel

import (
	"context"
	"encoding/base64"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

func TestPausesGrowToTheirMostAndAreJittered(t *testing.T) {
	for _, c := range []struct {
		failed  int
		limited bool
		about   time.Duration
	}{
		{1, false, time.Second}, {2, false, 2 * time.Second}, {6, false, 32 * time.Second},
		{7, false, time.Minute}, {math.MaxInt, false, time.Minute},
		{1, true, 2 * time.Minute}, {2, true, 4 * time.Minute}, {4, true, 15 * time.Minute}, {math.MaxInt, true, 15 * time.Minute},
	} {
		different := map[time.Duration]bool{}
		for range 20 {
			pause := pauseAfter(c.failed, c.limited)
			if pause < c.about*9/10 || pause > c.about*11/10 {
				t.Errorf("after %d failures, limited %v: %s", c.failed, c.limited, pause)
			}
			different[pause] = true
		}
		if len(different) < 2 {
			t.Errorf("after %d failures it is always the same pause", c.failed)
		}
	}
}

func TestPausesBeginSmallAgainAfterAConnectionThatLasted(t *testing.T) {
	var mu sync.Mutex
	var skew time.Duration
	var failures []int
	list := func() []int { mu.Lock(); defer mu.Unlock(); return slices.Clone(failures) }
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(skew) }
	crash := script{Ends: true, Code: 1}
	r := open(t, crash, setup{
		options: func(o *Options) { o.Now = clock },
		pace: func(c *cloudflared) {
			c.pause = func(failed int, _ bool) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				failures = append(failures, failed)
				return time.Millisecond
			}
		},
	})
	eventually(t, func() bool { return len(list()) >= 3 }, func() string { return "it is not tried again" })
	r.now(quick())
	_, n := r.wait(t, 0, "that it is connected", is(model.TunnelConnected))
	before := len(list())
	r.now(crash)
	_, n = r.wait(t, n, "that it crashed", says(model.TunnelReconnecting, "exit code 1"))
	r.now(quick())
	r.wait(t, n, "that it is connected again", is(model.TunnelConnected))
	mu.Lock()
	skew += stableAfter
	mu.Unlock()
	between := len(list())
	r.now(crash)
	eventually(t, func() bool { return len(list()) > between }, func() string { return "it is not tried again" })
	got := list()
	if !slices.Equal(got[:3], []int{1, 2, 3}) || got[before] != before+1 || got[between] != 1 {
		t.Errorf("failures in a row: %v; connected for a moment before the %dth and for long before the %dth", got, before, between)
	}
}

func TestWakingFromSleepEndsAPauseUnlessThereIsALimit(t *testing.T) {
	for name, limited := range map[string]bool{"no limit": false, "limit": true} {
		t.Run(name, func(t *testing.T) {
			s := script{Ends: true, Code: 1}
			if limited {
				s.LastWords = []string{"error code: 1015"}
			}
			p := install(t, s)
			c, err := newCloudflared(Options{Local: "http://127.0.0.1:1", Path: webhookPath, Now: time.Now})
			if err != nil {
				t.Fatal(err)
			}
			c.pause = func(int, bool) time.Duration { return time.Hour }
			ctx, cancel := context.WithCancel(t.Context())
			all, wake, done := &reports{}, make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				c.run(ctx, wake, func(l linkStatus) { all.add(model.Tunnel{State: l.state, NextTry: l.nextTry}) })
			}()
			all.wait(t, 0, "that it waits", func(m model.Tunnel) bool { return !m.NextTry.IsZero() })
			if limited {
				select {
				case wake <- struct{}{}:
					t.Error("it woke")
				case <-time.After(50 * time.Millisecond):
				}
			} else {
				wake <- struct{}{}
				eventually(t, func() bool { return len(p.runs()) == 2 }, func() string { return "it sleeps on" })
			}
			cancel()
			<-done
		})
	}
}

func TestAHostThatIsNoneIsNotShown(t *testing.T) {
	for _, hostile := range []string{"a b", "x/y", "me@example.com", "evil\u202e.example.com", "a\x1b[2J", "x?y"} {
		t.Run(base64.RawURLEncoding.EncodeToString([]byte(hostile)), func(t *testing.T) {
			r := open(t, script{Connections: 1, Hosts: []string{hostile}}, setup{})
			m, _ := r.wait(t, 0, "that it is none", says(model.TunnelStarting, "a host that is none"))
			if m.PublicURL != "" || strings.ContainsAny(m.Detail, "\u202e\x1b") {
				t.Errorf("%+v", m)
			}
		})
	}
}
