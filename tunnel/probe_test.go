package tunnel

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAProbeThatCameThroughIsFine(t *testing.T) {
	l := newLocal(t)
	p := l.prober.Probe(t.Context(), l.URL+webhookPath)
	if !p.OK || p.Detail != "" || p.RoundTrip <= 0 || time.Since(p.At) > time.Minute {
		t.Errorf("%+v", p)
	}
	if got := l.got[0]; got.Method != http.MethodPost || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("it was %s with %v", got.Method, got.Header)
	}
}

func TestEveryProbeHasAnIdOfItsOwnAndAConnectionOfItsOwn(t *testing.T) {
	l := newLocal(t)
	for range 3 {
		l.prober.Probe(t.Context(), l.URL+webhookPath)
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

// The words in front of the colon name the hop.
func TestAnAnswerTellsWhichHopIsBroken(t *testing.T) {
	for name, c := range map[string]struct {
		answer  func(w http.ResponseWriter, saw func())
		hop     string
		advises string
	}{
		"no tunnel":       {status(530, "error code: 1033"), "edge: Cloudflare has no connected tunnel", "1033"},
		"tunnel error":    {status(503, "<title>Error 1033</title>"), "edge: Cloudflare has no connected tunnel", "1033"},
		"no origin":       {status(502, "<html>Bad gateway"), "tunnel: answered 502", "check the tunnel's target"},
		"no rule":         {status(503, ""), "tunnel: answered 503", "check the tunnel's target"},
		"wrong path":      {status(404, ""), "origin: 404", "check the path"},
		"altered":         {status(400, "Invalid signature"), "signature: ", "alters requests"},
		"headers gone":    {status(400, "Missing Svix headers"), "signature: ", "removes them"},
		"login":           {status(403, "<html>"), "edge: ", "remove the access rule"},
		"redirect":        {redirected, "edge: redirects to https://other.example.com/", "use that URL"},
		"limit":           {status(429, ""), "edge: ", "rate limiting"},
		"hangs":           {status(524, ""), "timeout: ", "hangs"},
		"other program":   {status(204, ""), "origin: answered 204, but not from this process", "another program"},
		"odd program":     {status(418, ""), "origin: answered 418", "another program"},
		"out of order":    {status(521, ""), "edge: ", "521"},
		"answer replaced": {seenAnd(502), "edge: the probe arrived here", "502"},
	} {
		t.Run(name, func(t *testing.T) {
			var p *Prober
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c.answer(w, func() { p.Saw(r.Header.Get("Svix-Id")) })
			}))
			defer server.Close()
			p = NewProber(sign)
			got := p.Probe(t.Context(), server.URL+webhookPath)
			if got.OK || !strings.HasPrefix(got.Detail, c.hop) || !strings.Contains(got.Detail, c.advises) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func status(code int, body string) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, _ func()) {
		w.WriteHeader(code)
		io.WriteString(w, body)
	}
}

func seenAnd(code int) func(http.ResponseWriter, func()) {
	return func(w http.ResponseWriter, saw func()) {
		saw()
		w.WriteHeader(code)
	}
}

func redirected(w http.ResponseWriter, _ func()) {
	w.Header().Set("Location", "https://other.example.com/\u202e")
	w.WriteHeader(http.StatusMovedPermanently)
}

func TestAProbeWithoutAnAnswerTellsWhichHopIsBroken(t *testing.T) {
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	vanishing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	defer vanishing.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "a.example.com", IsNotFound: true}}
	}
	for name, c := range map[string]struct {
		url  string
		dial func(context.Context, string, string) (net.Conn, error)
		hop  string
	}{
		"unknown name": {"https://a.example.com/", unknown, "DNS: cannot resolve a.example.com (no such host)"},
		"closed port":  {"http://" + closed.Addr().String(), nil, "TCP: cannot connect to 127.0.0.1 (connect: connection refused)"},
		"untrusted":    {untrusted.URL, nil, "TLS: no secure connection to 127.0.0.1 (x509: certificate signed by unknown authority)"},
		"vanishing":    {vanishing.URL, nil, "edge: no answer from 127.0.0.1 (EOF)"},
	} {
		t.Run(name, func(t *testing.T) {
			p := NewProber(sign)
			if c.dial != nil {
				p.transport.DialContext = c.dial
			}
			if got := p.Probe(t.Context(), c.url); got.OK || !strings.HasPrefix(got.Detail, c.hop) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestAProbeWaitsTenSecondsForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := newPipes(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}))
		defer net.shut()
		p := NewProber(sign)
		p.transport.DialContext = net.dial
		start := time.Now()
		got := p.Probe(t.Context(), "http://a.example.com/")
		if time.Since(start) != 10*time.Second || got.OK || !strings.HasPrefix(got.Detail, "timeout: a.example.com accepted the request") {
			t.Errorf("after %s: %+v", time.Since(start), got)
		}
	})
}

func TestAProxyIsNamedWhenItIsTheProxyThatIsMissing(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	proxied := NewProber(sign)
	proxied.transport.Proxy = func(r *http.Request) (*url.URL, error) { return r.URL.Parse("http://" + closed.Addr().String()) }
	got := proxied.Probe(t.Context(), "http://a.example.com/")
	if !strings.HasPrefix(got.Detail, "TCP: cannot connect to the proxy 127.0.0.1 (") {
		t.Errorf("%+v", got)
	}
}

func TestTheProxyOfTheEnvironmentIsUsed(t *testing.T) {
	if p := NewProber(sign); p.transport.Proxy == nil || fmt.Sprintf("%p", p.transport.Proxy) != fmt.Sprintf("%p", http.ProxyFromEnvironment) {
		t.Error("it is not")
	}
}

func TestOnlyAProbeUnderWayIsRemembered(t *testing.T) {
	l := newLocal(t)
	l.prober.Saw("never asked")
	l.prober.Probe(t.Context(), l.URL+webhookPath)
	l.prober.pending.Range(func(id, _ any) bool {
		t.Errorf("remembered: %v", id)
		return true
	})
}
