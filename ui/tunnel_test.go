package ui

import (
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

func TestTheHeaderTellsTheTunnelsStateInWords(t *testing.T) {
	const url = "https://knoll-grove.trycloudflare.com/webhooks/aspect"
	ok := &model.Probe{OK: true, RoundTrip: 84 * time.Millisecond}
	for name, c := range map[string]struct {
		tunnel model.Tunnel
		says   []string
	}{
		"starting":     {model.Tunnel{State: model.TunnelStarting}, []string{"○ tunnel starting"}},
		"connected":    {model.Tunnel{State: model.TunnelConnected, PublicURL: url, Detail: "1 of 1", Probe: ok}, []string{"● tunnel connected at " + url, "probe 84 ms"}},
		"not probed":   {model.Tunnel{State: model.TunnelConnected, PublicURL: url}, []string{"○ tunnel connected at " + url, "not yet probed"}},
		"probe failed": {model.Tunnel{State: model.TunnelConnected, PublicURL: url, Probe: &model.Probe{Detail: "DNS: no such host"}}, []string{"○ tunnel connected", "DNS: no such host"}},
		"reconnecting": {model.Tunnel{State: model.TunnelReconnecting, Detail: "the edge closed the connection", NextTry: midnight.Add(10 * time.Second)}, []string{"○ tunnel reconnecting, next try in 9s: the edge closed the connection"}},
		"failed":       {model.Tunnel{State: model.TunnelFailed, Detail: "the token is wrong"}, []string{"○ tunnel failed: the token is wrong"}},
	} {
		t.Run(name, func(t *testing.T) {
			onScreen(t, 160, 24, nil, func(s *terminal) {
				s.status.Add(model.Status{At: midnight, Tunnel: &c.tunnel})
				s.wait(time.Second / 2)
				s.shows(c.says...)
				s.press("3")
				s.shows("tunnel " + string(c.tunnel.State))
				s.press("P")
				s.hides(url)
			})
		})
	}
}

func TestForwardsStandBesideTheirDelivery(t *testing.T) {
	onScreen(t, 160, 24, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("3")
		for _, f := range []model.Forward{
			{Seq: 9, To: "http://localhost:3000", Tries: 1, Error: "connection refused"},
			{Seq: 9, To: "http://localhost:3000", Tries: 2, Status: 204, Latency: 12 * time.Millisecond, Final: true},
			{Seq: 10, To: "http://localhost:3000", Tries: 8, Final: true, GaveUp: true, Error: "answered 500"},
		} {
			s.status.Add(model.Status{At: midnight, Forward: &f})
		}
		s.wait(2 * soon)
		s.shows("→204 12ms", "→given up")
		s.hides("connection refused") // a later try went well
	})
}

func TestAssetsAreCalledByTheirNamesOnceKnown(t *testing.T) {
	names := &book{names: map[string]string{}}
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.wait(2 * time.Second)
		s.shows("c4b6b5f1")
		if len(names.wanted) == 0 || !strings.HasPrefix(names.wanted[0], "c4b6b5f1") {
			t.Fatalf("the names asked for are %q", names.wanted)
		}
		names.names[names.wanted[0]] = "holiday.mp4"
		s.wait(2 * time.Second)
		s.shows("holiday.mp4")
		s.press("/")
		s.write("name:holi")
		s.shows("1 shown")
	}, func(o *options) { o.Names = names })
}

// book knows names.
type book struct {
	names  map[string]string
	wanted []string
}

func (b *book) Get(asset string) (string, bool) { name, ok := b.names[asset]; return name, ok }
func (b *book) Want(assets ...string)           { b.wanted = assets }

// The advice is read without opening anything, at the widths that terminals have.
func TestTheTunnelsTroubleIsReadableInFull(t *testing.T) {
	const url = "https://hooks.example.com/webhooks/aspect"
	const trouble = "tunnel: hooks.example.com:8443 answered 404 itself, and nothing arrived here: is the tunnel's client running," +
		" and does /webhooks/aspect lead to 127.0.0.1:8787?"
	const doubt = "Svix cannot reach localhost:8787, which is a loopback address: give it a public address, or use --tunnel"
	for name, c := range map[string]struct {
		tunnel model.Tunnel
		first  string // line
		says   string
	}{
		"failed":  {model.Tunnel{State: model.TunnelFailed, PublicURL: url, Detail: trouble, Probe: &model.Probe{Detail: trouble}}, "○ tunnel failed", trouble},
		"probe":   {model.Tunnel{State: model.TunnelConnected, PublicURL: url, Detail: "1 of 1", Probe: &model.Probe{Detail: trouble}}, "; probe failed ", trouble},
		"private": {model.Tunnel{State: model.TunnelConnected, PublicURL: "http://localhost:8787/", Detail: "your own", Doubt: doubt, Probe: &model.Probe{OK: true}}, "○ tunnel connected at http://localhost:8787/", doubt},
	} {
		for _, size := range [][2]int{{80, 24}, {120, 30}} {
			onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
				s.status.Add(model.Status{At: midnight, Tunnel: &c.tunnel})
				s.wait(2 * time.Second)
				lines := strings.Split(s.frame(), "\n")
				if !strings.Contains(lines[0], c.first) {
					t.Errorf("%s: the first line at %d columns is %q", name, size[0], lines[0])
				}
				read := strings.Join(strings.Fields(strings.Join(lines[2:7], " ")), " ")
				if !strings.Contains(read, c.says) {
					t.Errorf("%s: at %d columns it reads %q", name, size[0], read)
				}
				s.press("P")
				s.hides("localhost:8787", "hooks.example.com")
			})
		}
	}
}
