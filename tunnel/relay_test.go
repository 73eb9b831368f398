package tunnel

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"aspectop/model"
)

// svix is a stand-in for Svix's relay and for Play in front of it.
type svix struct {
	mu      sync.Mutex
	dials   []time.Time
	starts  []message
	tokens  []string // of starts
	kinds   []websocket.MessageType
	taken   map[string]bool // tokens that others listen with
	down    bool            // dials fail
	silent  bool            // no pings
	deaf    bool            // it does not answer a start
	shut    bool            // the public side takes nothing
	conn    *websocket.Conn // the last one
	waiting map[string]chan reply
	serial  int
}

func (s *svix) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.URL.Path, "/in/"); ok {
		s.in(w, r, strings.TrimSuffix(token, "/"))
		return
	}
	s.mu.Lock()
	s.dials = append(s.dials, time.Now())
	down := s.down
	s.mu.Unlock()
	if down {
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		return
	}
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(relayFrame)
	s.listen(r.Context(), c)
}

func (s *svix) listen(ctx context.Context, c *websocket.Conn) {
	kind, text, err := c.Read(ctx)
	var start message
	var data struct{ Token string }
	if err != nil || json.Unmarshal(text, &start) != nil || json.Unmarshal(start.Data, &data) != nil {
		return
	}
	s.mu.Lock()
	s.starts, s.tokens, s.kinds = append(s.starts, start), append(s.tokens, data.Token), append(s.kinds, kind)
	s.conn = c
	taken, deaf, silent := s.taken[data.Token], s.deaf, s.silent
	s.mu.Unlock()
	if taken {
		c.Close(websocket.StatusPolicyViolation, "This socket is already in use")
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !deaf {
		c.Write(ctx, websocket.MessageBinary, text)
	}
	if !silent {
		go func() {
			for {
				select {
				case <-time.After(20 * time.Second):
					c.Ping(ctx)
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return
		}
		var m message
		var answer reply
		if json.Unmarshal(text, &m) != nil || m.Type != "event" || m.Version != 1 || json.Unmarshal(m.Data, &answer) != nil {
			continue
		}
		s.mu.Lock()
		waiting := s.waiting[answer.ID]
		s.mu.Unlock()
		if waiting != nil {
			waiting <- answer
		}
	}
}

// in is the public side: one value for each header goes on.
func (s *svix) in(w http.ResponseWriter, r *http.Request, token string) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	known := !s.shut && len(s.tokens) > 0 && s.tokens[len(s.tokens)-1] == token
	s.mu.Unlock()
	if !known {
		http.NotFound(w, r)
		return
	}
	headers := map[string]string{}
	for name := range r.Header {
		headers[strings.ToLower(name)] = r.Header.Get(name)
	}
	answer, err := s.send(r.Context(), event{Method: r.Method, Headers: headers, Body: body})
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.Status)
	w.Write(answer.Body)
}

// send hands an event to who listens, and waits for the answer.
func (s *svix) send(ctx context.Context, e event) (reply, error) {
	answer := make(chan reply, 1)
	s.mu.Lock()
	s.serial++
	e.ID = fmt.Sprint("event-", s.serial)
	s.waiting[e.ID] = answer
	c := s.conn
	s.mu.Unlock()
	// The library closes a connection when a Write's context ends.
	if err := c.Write(context.WithoutCancel(ctx), websocket.MessageBinary, frame("event", e)); err != nil {
		return reply{}, err
	}
	select {
	case got := <-answer:
		return got, nil
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

func (s *svix) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *svix) dialed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dials)
}

// relayed is a tunnel through the relay's stand-in, in virtual time.
type relayed struct {
	*Tunnel
	*reports
	svix    *svix
	state   string // folder
	relay   *relay
	ahead   func(time.Duration) // moves the clock on the wall
	receive func(http.ResponseWriter, *http.Request)
	prober  *Prober
}

func throughTheRelay(t *testing.T, f func(t *testing.T, r *relayed)) { relayedFrom(t, t.TempDir(), f) }

func relayedFrom(t *testing.T, state string, f func(t *testing.T, r *relayed)) {
	synctest.Test(t, func(t *testing.T) {
		r := &relayed{reports: &reports{}, state: state, prober: NewProber(sign)}
		r.svix = &svix{taken: map[string]bool{}, waiting: map[string]chan reply{}}
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			r.prober.Saw(req.Header.Get("Svix-Id"))
			w.WriteHeader(http.StatusNoContent)
		}
		outside := newPipes(r.svix)
		defer outside.shut()
		inside := newPipes(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { r.receive(w, req) }))
		defer inside.shut()

		var mu sync.Mutex
		var skew time.Duration
		r.ahead = func(d time.Duration) { mu.Lock(); defer mu.Unlock(); skew += d }
		o := Options{
			Mode: SvixRelay, Local: "http://127.0.0.1:8787", Path: webhookPath, StateDir: state,
			Prober: r.prober, Report: r.add,
			Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return time.Now().Add(skew) },
		}
		var err error
		if r.relay, err = newRelay(o); err != nil {
			t.Fatal(err)
		}
		r.relay.listen, r.relay.play = "ws://relay.example.com/api/v1/listen/", "http://play.example.com/"
		dialing := r.relay.dialer.Transport.(*http.Transport)
		dialing.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			return outside.dial(ctx, network, address)
		}
		r.prober.transport.DialContext = outside.dial
		r.relay.poster.Transport.(*http.Transport).DialContext = inside.dial
		r.Tunnel = launch(t.Context(), o, r.relay.run, relayNotice)
		defer r.Stop()
		synctest.Wait()
		f(t, r)
	})
}

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

func TestAFrameReachesTheReceiverExactlyAndItsAnswerGoesBackExactly(t *testing.T) {
	everyByte := make([]byte, 1<<20) // the largest body there is
	for i := range everyByte {
		everyByte[i] = byte(i)
	}
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		var got *http.Request
		var body []byte
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			got = req
			body, _ = io.ReadAll(req.Body)
			w.Header().Set("Retry-After", "5")
			w.Header().Add("X-Two", "a")
			w.Header().Add("X-Two", "b")
			w.WriteHeader(http.StatusServiceUnavailable)
			w.Write([]byte{0, 255, '\n'})
		}
		answer, err := r.svix.send(t.Context(), event{Method: "PUT", Body: everyByte, Headers: map[string]string{
			"svix-id": "msg_1", "svix-signature": "v1,a v1,b", "host": "play.svix.com", "connection": "close", "content-length": "7",
			"x-empty": "",
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got.Method != "PUT" || got.URL.Path != webhookPath || got.Host != "play.svix.com" || !bytes.Equal(body, everyByte) {
			t.Errorf("%s %s at %s with %d bytes", got.Method, got.URL, got.Host, len(body))
		}
		want := http.Header{"Svix-Id": {"msg_1"}, "Svix-Signature": {"v1,a v1,b"}, "X-Empty": {""}, "Content-Length": {"1048576"}}
		if !maps.EqualFunc(got.Header, want, func(a, b []string) bool { return strings.Join(a, "|") == strings.Join(b, "|") }) {
			t.Errorf("headers %v", got.Header)
		}
		if answer.Status != 503 || !bytes.Equal(answer.Body, []byte{0, 255, '\n'}) ||
			answer.Headers["Content-Length"] != "" || answer.Headers["Retry-After"] != "5" || answer.Headers["X-Two"] != "a, b" {
			t.Errorf("answered %+v", answer)
		}
	})
}

func TestARedirectOfTheReceiverIsItsAnswer(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.receive = func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, "/elsewhere", http.StatusFound) }
		if answer, err := r.svix.send(t.Context(), event{Method: "GET"}); err != nil || answer.Status != 302 || answer.Headers["Location"] != "/elsewhere" {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

func TestASlowAnswerHoldsNoOtherFrameUp(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		release := make(chan struct{})
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Svix-Id") == "slow" {
				<-release
			}
			w.WriteHeader(http.StatusNoContent)
		}
		slow := make(chan reply, 1)
		go func() {
			answer, _ := r.svix.send(t.Context(), event{Method: "POST", Headers: map[string]string{"svix-id": "slow"}})
			slow <- answer
		}()
		synctest.Wait()
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 204 {
			t.Errorf("%+v, %v", answer, err)
		}
		close(release)
		if answer := <-slow; answer.Status != 204 {
			t.Errorf("%+v", answer)
		}
	})
}

func TestWithoutAnAnswerOfTheReceiverTheSenderGets502(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.receive = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 502 || len(answer.Body) != 0 {
			t.Errorf("%+v, %v", answer, err)
		}
		r.receive = func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }
		start := time.Now()
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 502 || time.Since(start) != 30*time.Second {
			t.Errorf("%+v, %v after %s", answer, err, time.Since(start))
		}
		if answer, err := r.svix.send(t.Context(), event{Method: "BAD METHOD"}); err != nil || answer.Status != 502 {
			t.Errorf("%+v, %v", answer, err)
		}
	})
}

func TestAFrameThatIsNoEventIsPassedOver(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		for _, text := range []string{"", "{", `{"type":"news","version":9}`, `{"type":"event","data":7}`} {
			if err := r.svix.conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if answer, err := r.svix.send(t.Context(), event{Method: "POST"}); err != nil || answer.Status != 204 || r.svix.dialed() != 1 {
			t.Errorf("%+v, %v after %d dials", answer, err, r.svix.dialed())
		}
	})
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
		r.wait(t, n, "that it is silent", says(model.TunnelReconnecting, "it is silent"))
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

func TestTheAddressIsTheSameNextTime(t *testing.T) {
	state := filepath.Join(t.TempDir(), "made", "on demand")
	var first, second string
	relayedFrom(t, state, func(t *testing.T, r *relayed) { first = r.State().PublicURL })
	relayedFrom(t, state, func(t *testing.T, r *relayed) { second = r.State().PublicURL })
	if first == "" || first != second {
		t.Errorf("first %s, then %s", first, second)
	}
	for path, want := range map[string]os.FileMode{filepath.Join(state, "relay.json"): 0o600, state: 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if files, err := os.ReadDir(state); err != nil || len(files) != 1 {
		t.Errorf("in the folder: %v, %v", files, err)
	}
}

func TestAFileWithoutATokenIsReplaced(t *testing.T) {
	for _, text := range []string{"", "{}", `{"token":"../../etc"}`, `{"token":"c_short"}`} {
		f := newTokenFile(t.TempDir())
		if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		token, err := f.load()
		if again, err2 := f.load(); err != nil || err2 != nil || token != again || len(token) != 29 || !tokenForm.MatchString(token) {
			t.Errorf("from %q: %q, then %q: %v, %v", text, token, again, err, err2)
		}
	}
}

func TestATokenThatAnotherProgramHoldsIsReplacedAndThatIsSaid(t *testing.T) {
	state := t.TempDir()
	kept, err := newTokenFile(state).load()
	if err != nil {
		t.Fatal(err)
	}
	relayedFrom(t, state, func(t *testing.T, r *relayed) {
		// As another run would find it: from the start.
		r.Stop()
		r.svix.change(func() { r.svix.taken[kept] = true })
		r.Tunnel = launch(t.Context(), r.o, r.relay.run, "")
		defer r.Stop()
		after(time.Second)
		got := r.State()
		if got.State != model.TunnelConnected || strings.Contains(got.PublicURL, kept) || !strings.Contains(got.Detail, "a new address") {
			t.Errorf("%+v", got)
		}
		if now, err := newTokenFile(state).load(); err != nil || now == kept || !strings.Contains(got.PublicURL, now) {
			t.Errorf("kept: %q, %v", now, err)
		}
	})
}

// The relay may not know yet that our own connection is dead.
func TestATokenThatWeHeldOurselvesIsTriedForAWhile(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		before := r.State().PublicURL
		r.svix.change(func() { r.svix.taken[r.svix.tokens[0]] = true; r.svix.conn.CloseNow() })
		after(30 * time.Second)
		if got := r.State(); got.State != model.TunnelReconnecting || got.PublicURL != before || !strings.Contains(got.Detail, "another program") {
			t.Errorf("after half a minute: %+v", got)
		}
		r.svix.change(func() { clear(r.svix.taken) })
		after(7 * time.Second)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL != before {
			t.Errorf("when it was free: %+v", got)
		}
		r.svix.change(func() { r.svix.taken[r.svix.tokens[0]] = true; r.svix.conn.CloseNow() })
		after(time.Minute)
		if got := r.State(); got.State != model.TunnelConnected || got.PublicURL == before {
			t.Errorf("when it was not: %+v", got)
		}
	})
}

func TestATokenThatCannotBeKeptIsUsedNevertheless(t *testing.T) {
	throughTheRelay(t, func(t *testing.T, r *relayed) {
		r.relay.keep = newTokenFile(filepath.Join(r.state, "relay.json")) // a file, no folder
		before := r.State().PublicURL
		r.svix.change(func() { r.svix.taken[r.svix.tokens[0]] = true; r.svix.conn.CloseNow() })
		after(time.Minute)
		got := r.State()
		if got.State != model.TunnelConnected || got.PublicURL == before || !strings.Contains(got.Detail, "cannot be kept") {
			t.Errorf("%+v", got)
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
