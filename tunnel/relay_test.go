package tunnel

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"aspectop/model"
)

func TestTheRelayIsReadyWhenTheProbeCameThrough(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		if err := r.Ready(t.Context(), ReadyWait); err != nil {
			t.Fatal(err, r.reports)
		}
		got := r.State()
		want := "http://play.example.com/in/" + r.svix.tokens[0] + "/"
		if got.Kind != "svix" || got.State != model.TunnelConnected || got.PublicURL != want || got.Detail != "1 of 1" || !got.Probe.OK {
			t.Errorf("%+v", got)
		}
		if !strings.Contains(r.Notice(), "can read it") {
			t.Errorf("nobody is told who reads along: %q", r.Notice())
		}
	})
}

func TestTheRelayIsSpokenToAsDocumented(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		start := r.svix.starts[0]
		if start.Type != "start" || start.Version != 1 || !tokenForm.MatchString(r.svix.tokens[0]) || r.svix.kinds[0] != websocket.MessageBinary {
			t.Errorf("%+v with %q", start, r.svix.tokens[0])
		}
		if string(start.Data) != `{"token":"`+r.svix.tokens[0]+`"}` {
			t.Errorf("data: %s", start.Data)
		}
	})
	if relayListen != "wss://api.relay.svix.com/api/v1/listen/" || playBase+"in/" != "https://play.svix.com/in/" {
		t.Error("the addresses are others")
	}
}

func TestPingsAloneKeepTheConnection(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.svix.change(func() { r.svix.shut = true; r.svix.conn.CloseNow() })
		after(10 * time.Minute)
		if got := r.State(); got.State != model.TunnelConnected || r.svix.dialed() != 2 {
			t.Errorf("%+v after %d dials", got, r.svix.dialed())
		}
	})
}

func TestFramesAloneKeepTheConnection(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.svix.change(func() { r.svix.silent = true; r.svix.conn.CloseNow() })
		for range 30 {
			after(20 * time.Second)
			if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 204 {
				t.Fatalf("%+v, %v", answer, err)
			}
		}
		if r.svix.dialed() != 2 {
			t.Errorf("%d dials", r.svix.dialed())
		}
	})
}

func TestSilenceIsALostConnection(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.svix.change(func() { r.svix.conn.CloseNow(); r.svix.silent = true })
		after(time.Second)
		if r.svix.dialed() != 2 {
			t.Fatalf("%d dials", r.svix.dialed())
		}
		r.svix.change(func() { r.svix.silent = false })
		n := len(r.list())
		after(29 * time.Second) // one and a half of the relay's periods
		if r.svix.dialed() != 2 {
			t.Errorf("dialed again after half a minute")
		}
		after(11 * time.Second) // two periods
		if r.svix.dialed() != 3 || r.State().State != model.TunnelConnected {
			t.Errorf("after two periods without a ping: %d dials, %+v", r.svix.dialed(), r.State())
		}
		r.wait(t, n, "that it is silent", says(model.TunnelReconnecting, "no data received"))
	})
}

func TestARelayThatDoesNotAnswerTheStartIsGivenUp(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.svix.change(func() { r.svix.deaf = true; r.svix.conn.CloseNow() })
		after(11 * time.Second)
		if got := r.State(); got.State != model.TunnelReconnecting {
			t.Errorf("%+v", got)
		}
		if r.svix.dialed() < 3 {
			t.Errorf("%d dials", r.svix.dialed())
		}
	})
}

func TestTriesAreAtOnceThenAfterATenthASecondThenFive(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		for range 5 { // long ago
			r.svix.change(func() { r.svix.conn.CloseNow() })
			after(time.Minute)
		}
		r.svix.change(func() { r.svix.down = true; r.svix.dials = nil; r.svix.conn.CloseNow() })
		lost := time.Now()
		after(30 * time.Second)
		r.svix.mu.Lock()
		defer r.svix.mu.Unlock()
		for i, least := range []time.Duration{0, 100 * time.Millisecond, time.Second, 5 * time.Second, 5 * time.Second} {
			pause := r.svix.dials[i].Sub(lost)
			if pause < least || pause > least*12/10+time.Millisecond {
				t.Errorf("try %d came after %s, not %s", i+1, pause, least)
			}
			lost = r.svix.dials[i]
		}
		r.wait(t, 0, "why", func(m model.Tunnel) bool {
			return m.State == model.TunnelReconnecting && strings.Contains(m.Detail, "503") && !m.NextTry.IsZero()
		})
	})
}

func TestAConnectionThatNeverLastsIsNotTriedWithoutPause(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		before := r.svix.dialed()
		for range 600 {
			r.svix.change(func() { r.svix.conn.CloseNow() })
			after(100 * time.Millisecond)
		}
		if n := r.svix.dialed() - before; n > 16 {
			t.Errorf("%d dials in a minute", n)
		}
	})
}

func TestWakingFromSleepDialsAnew(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.ahead(time.Hour)
		after(clockEvery + time.Second)
		if got := r.State(); r.svix.dialed() != 2 || got.State != model.TunnelConnected || got.Probe == nil {
			t.Errorf("%d dials, %+v%s", r.svix.dialed(), got, r.reports)
		}
	})
}

func TestStopClosesTheConnection(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.Stop()
		synctest.Wait()
		err := r.svix.conn.Write(t.Context(), websocket.MessageBinary, []byte("{}"))
		if err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("it can still be written to: %v", err)
		}
	})
}
