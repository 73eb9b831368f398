package tunnel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// svix is a stand-in for Svix's relay and for Play in front of it.
type svix struct {
	mu      sync.Mutex
	dials   []time.Time
	starts  []message
	tokens  []string // of starts
	kinds   []websocket.MessageType
	taken   map[string]bool // tokens that others listen with
	full    bool            // every token is in use
	down    bool            // dials fail
	silent  bool            // no pings
	deaf    bool            // it does not answer a start
	shut    bool            // the public side takes nothing
	given   string          // the token in the answer to a start, "" for the one in it
	first   []string        // frames before that answer
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
	if s.given != "" {
		data.Token = s.given
		text = []byte(fmt.Sprintf(`{"type":"start","version":1,"data":{"token":%q}}`, s.given))
	}
	s.starts, s.tokens, s.kinds = append(s.starts, start), append(s.tokens, data.Token), append(s.kinds, kind)
	s.conn = c
	first := s.first
	taken, deaf, silent := s.full || s.taken[data.Token], s.deaf, s.silent
	s.mu.Unlock()
	if taken {
		time.Sleep(10 * time.Millisecond) // or a client that never pauses would stop the clock
		c.Close(websocket.StatusPolicyViolation, "This socket is already in use")
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, text := range first {
		c.Write(ctx, websocket.MessageBinary, []byte(text))
	}
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
		r := &relayed{reports: &reports{}, state: state, prober: newProber()}
		r.svix = &svix{taken: map[string]bool{}, waiting: map[string]chan reply{}}
		r.receive = func(w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			r.prober.Saw(req, body)
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
