package tunnel

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/loopback"
)

func TestAProbeThatCameThroughIsFine(t *testing.T) {
	for name, full := range map[string]bool{"full": true, "empty": false} {
		t.Run(name, func(t *testing.T) {
			l := newLocal(t)
			p := l.prober.Probe(t.Context(), l.URL+webhookPath, full)
			if !p.OK || p.Detail != "" || p.RoundTrip <= 0 || time.Since(p.At) > time.Minute {
				t.Errorf("%+v", p)
			}
			got := l.got[0]
			if got.Method != http.MethodPost || got.Header.Get("Content-Type") != "application/json" {
				t.Errorf("it was %s with %v", got.Method, got.Header)
			}
			if want := map[bool]int64{true: 2048, false: 0}[full]; got.ContentLength != want {
				t.Errorf("its body has %d bytes", got.ContentLength)
			}
		})
	}
}

func TestEveryProbeHasAnIdOfItsOwnAndAConnectionOfItsOwn(t *testing.T) {
	l := newLocal(t)
	for range 3 {
		l.prober.Probe(t.Context(), l.URL+webhookPath, true)
	}
	ids, ports := map[string]bool{}, map[string]bool{}
	for _, r := range l.got {
		ids[r.Header.Get("Svix-Id")] = true
		ports[r.RemoteAddr] = true
	}
	if len(ids) != 3 || len(ports) != 3 {
		t.Errorf("ids %v, connections from %v", ids, ports)
	}
}

func TestAProbeWaitsEightSecondsForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newPipes(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}))
		defer net.shut()
		p := newProber()
		p.transport.DialContext = net.dial
		start := time.Now()
		got := p.Probe(t.Context(), "http://a.example.com/", true)
		if time.Since(start) != 8*time.Second || got.OK || !strings.HasPrefix(got.Detail, "timeout: a.example.com accepted the request") {
			t.Errorf("after %s: %+v", time.Since(start), got)
		}
	})
}

func TestAnArrivalIsAwaitedForTwoSecondsAfterAForeignAnswer(t *testing.T) {
	for late, want := range map[time.Duration]string{
		1900 * time.Millisecond: "edge: the probe arrived here, but a.example.com answers 204 in our place",
		2100 * time.Millisecond: "origin: a.example.com answered 204, and nothing arrived here",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newProber()
			net := newPipes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				time.AfterFunc(late, func() { p.Saw(r, body) })
				w.WriteHeader(http.StatusNoContent)
			}))
			defer net.shut()
			p.transport.DialContext = net.dial
			got := p.Probe(t.Context(), "http://a.example.com"+webhookPath, true)
			if got.OK || !strings.HasPrefix(got.Detail, want) || got.RoundTrip != 0 {
				t.Errorf("%s late: %+v", late, got)
			}
			time.Sleep(time.Second)
		})
	}
}

func TestAProxyIsNamedWhenItIsTheProxyThatIsMissing(t *testing.T) {
	closed := closedPort(t)
	proxied := newProber()
	proxied.transport.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL.Parse("http://" + closed) }
	got := proxied.Probe(t.Context(), "http://a.example.com/", true)
	if !strings.HasPrefix(got.Detail, "TCP: nothing listens at the proxy "+closed+" (") {
		t.Errorf("%+v", got)
	}
}

func TestWhatAProxyAnswersIsNamedAsTheProxys(t *testing.T) {
	status := http.StatusForbidden
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer proxy.Close()
	address := strings.TrimPrefix(proxy.URL, "http://")
	for _, c := range []struct {
		url    string
		status int
		want   string
	}{
		{"https://a.example.com/", 403, "proxy: the proxy " + proxy.URL + " refused to connect: 403 Forbidden; the environment sets it: name a.example.com in NO_PROXY"},
		{"http://a.example.com/", 407, "proxy: " + address + ", which the environment sets, asks for a user and password (407)"},
		{"http://a.example.com/", 404, "(the answer came through the proxy " + address},
		{proxy.URL, 404, ""}, // this machine
	} {
		status = c.status
		p := newProber()
		p.transport = loopback.Route(&http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { return r.URL.Parse(proxy.URL) }, DisableKeepAlives: true}, new(net.Dialer))
		got := p.Probe(t.Context(), c.url, true)
		if got.OK || !strings.Contains(got.Detail, c.want) || c.want == "" && strings.Contains(got.Detail, "proxy "+address) {
			t.Errorf("%s: %q, not %q", c.url, got.Detail, c.want)
		}
	}
}

func TestOnlyTheNewestProbesAreRemembered(t *testing.T) {
	l := newLocal(t)
	r, _ := http.NewRequest(http.MethodPost, l.URL+webhookPath, http.NoBody)
	r.Header.Set("Svix-Id", "never asked")
	if own, _ := l.prober.Saw(r, nil); own {
		t.Error("a stranger's request counts as a probe")
	}
	for range 2 * flightsKept {
		l.prober.Probe(t.Context(), l.URL+webhookPath, false)
	}
	if n := len(l.prober.flights); n != flightsKept {
		t.Errorf("%d are remembered", n)
	}
	for i, want := range map[int]bool{0: false, 2*flightsKept - 1: true} {
		r.Header.Set("Svix-Id", l.got[i].Header.Get("Svix-Id"))
		if own, _ := l.prober.Saw(r, nil); own != want {
			t.Errorf("probe %d is recognised: %v", i, own)
		}
	}
}
