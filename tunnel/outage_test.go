package tunnel

import (
	"context"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"aspectop/model"
)

// refuse lets the edge refuse the tunnel until a report is wanted.
func refuse(t *testing.T, r *rig, s script, wanted func(model.Tunnel) bool) (m model.Tunnel, n int) {
	t.Helper()
	eventually(t, func() bool {
		s.Refused++
		r.now(s)
		for i, m2 := range r.list() {
			if wanted(m2) {
				m, n = m2, i+1
				return true
			}
		}
		return false
	}, func() string { return "that it is refused is not told: " + r.reports.String() })
	return m, n
}

func TestAQuickTunnelThatIsNotAcceptedAnyMoreIsReplaced(t *testing.T) {
	s := quick()
	s.Hosts = []string{host, otherHost}
	r := open(t, s, setup{})
	ready(t, r)
	n := len(r.list())
	forgotten := s
	forgotten.Connections = 0
	r.now(forgotten)
	r.wait(t, n, "that it is lost", says(model.TunnelReconnecting, "lost the connection"))
	_, n = refuse(t, r, forgotten, says(model.TunnelReconnecting, "no longer accepts this quick tunnel"))
	r.now(s)
	r.wait(t, n, "the new address", func(m model.Tunnel) bool { return m.State == model.TunnelConnected && m.PublicURL != quickURL })
}

// After a cut, the edge may refuse for seconds what it accepts again.
func TestAFewRefusalsDoNotCostAWorkingTunnel(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	s := quick()
	s.Connections = 0
	r.now(s)
	_, n := r.wait(t, 0, "that it is lost", says(model.TunnelReconnecting, "lost the connection"))
	s.Refused = 50
	r.now(s)
	_, n = r.wait(t, n, "that it is refused", says(model.TunnelReconnecting, "refuses the connection; cloudflared keeps trying"))
	s.Connections = 1
	r.now(s)
	m, _ := r.wait(t, n, "that it is back", is(model.TunnelConnected))
	if m.PublicURL != quickURL || len(r.runs()) != 1 {
		t.Errorf("after %d runs: %+v", len(r.runs()), m)
	}
}

func TestThatTheEdgeHoldsTheOldConnectionIsNoRefusal(t *testing.T) {
	p := install(t, script{Refused: 3, Doubled: 50})
	server := httptest.NewServer(metrics(p.dir, 0))
	defer server.Close()
	m := newMeter(server.Listener.Addr().String(), enough)
	defer m.close()
	if n, err := m.refusals(t.Context()); n != 3 || err != nil {
		t.Errorf("%d refusals, %v", n, err)
	}
}

func TestRefusalsAreCertainWhenTheyGoOn(t *testing.T) {
	const certain = 45 * time.Second
	start := time.Now()
	for name, c := range map[string]struct {
		seen map[time.Duration]int // the counter
		want bool
	}{
		"none":              {nil, false},
		"many at once":      {map[time.Duration]int{0: 100}, false},
		"for half a minute": {map[time.Duration]int{0: 11, 10: 20, 30: 40}, false},
		"one alone":         {map[time.Duration]int{0: 11, 60: 11, 90: 11}, false},
		"for long":          {map[time.Duration]int{0: 11, 30: 20, 45: 25}, true},
		"two only":          {map[time.Duration]int{0: 11, 45: 12}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := outage{refusals: 10}
			for at := range time.Duration(100) {
				if n, ok := c.seen[at]; ok {
					o.count(n, start.Add(at*time.Second))
				}
			}
			if got := o.refused(certain); got != c.want {
				t.Errorf("refused: %v", got)
			}
		})
	}
}

// Over QUIC nothing in the log says so, and the program would try for ever.
func TestARevokedTokenIsToldByTheCounterOfRefusalsAndTriedAgainAfterMinutes(t *testing.T) {
	r := open(t, script{}, setup{options: named, pace: func(c *cloudflared) { c.pause = pauseAfter }})
	r.wait(t, 0, "that it is connecting", says(model.TunnelStarting, "connecting to Cloudflare"))
	m, _ := refuse(t, r, script{}, says(model.TunnelFailed, "token was probably revoked"))
	if wait := time.Until(m.NextTry); wait < time.Minute || m.PublicURL != namedURL || len(r.runs()) != 1 {
		t.Errorf("the next try is in %s, after %d runs: %+v", wait, len(r.runs()), m)
	}
}

func TestARefusedTunnelIsConnectedWhenItIsAcceptedAgain(t *testing.T) {
	r := open(t, script{}, setup{options: named})
	_, n := refuse(t, r, script{}, is(model.TunnelFailed))
	r.now(script{Connections: 1})
	r.wait(t, n, "that it is connected after all", is(model.TunnelConnected))
}

func TestTheNextQuickTunnelAfterARefusalIsMinutesAway(t *testing.T) {
	r := open(t, script{}, setup{pace: func(c *cloudflared) { c.pause = pauseAfter }})
	m, _ := refuse(t, r, script{}, says(model.TunnelReconnecting, "no longer accepts"))
	if wait := time.Until(m.NextTry); wait < time.Minute {
		t.Errorf("the next try is in %s", wait)
	}
}

// Once connected over QUIC, cloudflared does not try HTTP/2 in a network that
// blocks UDP.
func TestAConnectionThatDoesNotComeBackIsSoughtByANewStart(t *testing.T) {
	for name, c := range map[string]struct {
		options func(*Options)
		says    string
	}{
		"quick": {nil, "URL will change"},
		"named": {named, "restarting"},
	} {
		t.Run(name, func(t *testing.T) {
			s := quick()
			s.Hosts = []string{host, otherHost}
			var asked atomic.Value
			r := open(t, s, setup{options: c.options, pace: func(c *cloudflared) {
				c.lost = 50 * time.Millisecond
				c.outside = func(_ context.Context, host string) bool { asked.Store(host); return true }
			}})
			ready(t, r)
			n := len(r.list())
			s.Connections = 0
			r.now(s)
			m, n := r.wait(t, n, "that it does not come back", says(model.TunnelReconnecting, "did not return", c.says))
			if m.NextTry.IsZero() {
				t.Errorf("the next try is not told: %+v", m)
			}
			s.Connections = 1
			r.now(s)
			r.wait(t, n, "that it is connected", is(model.TunnelConnected))
			if got := asked.Load(); c.options == nil && got != host {
				t.Errorf("asked for %v", got)
			}
			if len(r.runs()) != 2 {
				t.Errorf("called %d times", len(r.runs()))
			}
		})
	}
}

func TestWithoutANetworkAQuickTunnelIsKept(t *testing.T) {
	var asked atomic.Int32
	r := open(t, quick(), setup{pace: func(c *cloudflared) {
		c.lost = 5 * time.Millisecond
		c.outside = func(context.Context, string) bool { asked.Add(1); return false }
	}})
	ready(t, r)
	n := len(r.list())
	s := quick()
	s.Connections = 0
	r.now(s)
	eventually(t, func() bool { return asked.Load() >= 3 }, func() string { return "nobody asks whether there is a network" })
	r.now(quick())
	m, _ := r.wait(t, n, "that it is back", is(model.TunnelConnected))
	if m.PublicURL != quickURL || len(r.runs()) != 1 {
		t.Errorf("after %d runs: %+v", len(r.runs()), m)
	}
}

func TestANeverConnectedProgramIsNotStartedAnewForThat(t *testing.T) {
	l := &session{cloudflared: &cloudflared{lost: time.Nanosecond, certain: time.Hour, token: "x"}, report: func(linkStatus) {}}
	l.fast = time.Second
	l.outage.since = time.Now().Add(-time.Hour)
	if _, again := l.unconnected(t.Context(), newMeter("127.0.0.1:0", time.Second)); again != l.fast {
		t.Errorf("the next poll is in %s", again)
	}
}
