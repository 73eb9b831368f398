package tunnel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
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
		if start.Type != "start" || start.Version != 1 || !strings.HasPrefix(r.svix.tokens[0], "c_") || !tokenForm.MatchString(r.svix.tokens[0]) || r.svix.kinds[0] != websocket.MessageText {
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

func TestOtherFramesMayComeBeforeTheAnswerToTheStart(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		var posted atomic.Int32
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			r.prober.Saw(req, body)
			if req.Header.Get("Svix-Id") == "msg_early" {
				posted.Add(1)
			}
			w.WriteHeader(http.StatusNoContent)
		}
		early := string(frame("event", event{ID: "event-early", Method: "POST", Headers: map[string]string{"svix-id": "msg_early"}}))
		other := []string{"", "{", `{"type":"news","version":9}`, early}
		for n, connects := range map[int]bool{9: true, 10: true, 11: false} {
			r.svix.change(func() {
				r.svix.first = slices.Repeat(other, 3)[:n]
				r.svix.conn.CloseNow()
			})
			posted.Store(0)
			after(time.Minute)
			got := r.State()
			if (got.State == model.TunnelConnected) != connects || connects && posted.Load() != 2 {
				t.Errorf("after %d frames: %+v, %d posted", n, got, posted.Load())
			}
			if !connects && !strings.Contains(got.Detail, "does not answer the start") {
				t.Errorf("after %d frames: %+v", n, got)
			}
			r.svix.change(func() { r.svix.first = nil })
			after(time.Minute)
		}
	})
}

// Nobody can do anything with the words of a library.
func TestWhyTheRelayIsNotReachedIsSaidInPlainWords(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.svix.change(func() { r.svix.conn.CloseNow() })
		after(time.Minute)
		r.svix.change(func() { r.svix.down = true; r.svix.conn.CloseNow() })
		after(time.Minute)
		r.svix.change(func() { r.svix.down = false })
		after(time.Minute)
		r.svix.change(func() { r.svix.conn.Close(websocket.StatusGoingAway, "restarting") })
		after(time.Minute)
		var said []string
		for _, m := range r.list() {
			if m.State == model.TunnelReconnecting {
				said = append(said, m.Detail)
			}
		}
		all := strings.Join(said, "\n")
		for _, want := range []string{"Svix's relay: the connection broke: EOF", "Svix's relay: it answered 503 Service Unavailable", "Svix's relay: it closed the connection (1001 restarting)"} {
			if !strings.Contains(all, want) {
				t.Errorf("not said: %s", want)
			}
		}
		if strings.Contains(all, "failed to") || strings.Contains(all, "expected handshake") {
			t.Errorf("it said\n%s", all)
		}
	})
}
