package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// How far a request came.
const (
	hopDNS int32 = iota
	hopTCP
	hopTLS
	hopEdge
)

// route follows a request, to name a failure by its hop.
type route struct {
	host  string
	proxy string // the proxy that is asked instead, "" if none is
	hop   atomic.Int32
}

func (w *route) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:      func(string, string) { w.advance(hopTCP) },
		TLSHandshakeStart: func() { w.advance(hopTLS) },
		GotConn:           func(httptrace.GotConnInfo) { w.advance(hopEdge) },
	})
}

// advance never goes back: of two dials at once the further one counts.
func (w *route) advance(h int32) {
	for {
		old := w.hop.Load()
		if old >= h || w.hop.CompareAndSwap(old, h) {
			return
		}
	}
}

// failure says in words where the request was lost.
func (w *route) failure(err error) string {
	why := reason(err)
	target := w.host
	if w.proxy != "" {
		target = "the proxy " + w.proxy
	}
	switch w.hop.Load() {
	case hopDNS:
		return fmt.Sprintf("DNS: cannot resolve %s (%s); a new name can take a minute, otherwise check the network", target, why)
	case hopTCP:
		return fmt.Sprintf("TCP: cannot connect to %s (%s); check the network and the firewall", target, why)
	case hopTLS:
		return fmt.Sprintf("TLS: no secure connection to %s (%s); check the clock and whether a proxy intercepts", w.host, why)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("timeout: %s accepted the request but did not answer within %s; the tunnel behind it hangs", w.host, probeTimeout)
	}
	return fmt.Sprintf("edge: no answer from %s (%s)", w.host, why)
}

// reason is the innermost cause: what wraps it repeats the URL.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + probeTimeout.String()
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return clean.Line(e.Err)
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	} else if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return clean.Line(err.Error())
}

// diagnose says what an answer tells about the way, "" if all is well. seen is
// whether the receiver recognised the request.
func diagnose(res *http.Response, body []byte, seen bool, u *url.URL) string {
	code := res.StatusCode
	fine := 200 <= code && code < 300
	switch {
	case seen && fine:
		return ""
	case seen:
		return fmt.Sprintf("edge: the probe arrived here, but %s answered %d in our place; the answer was lost on the way back",
			u.Host, code)
	case fine:
		return fmt.Sprintf("origin: answered %d, but not from this process; another program receives requests to %s", code, u.Host)
	case 300 <= code && code < 400:
		return fmt.Sprintf("edge: redirects to %s; Svix does not follow redirects, so use that URL",
			clean.Line(res.Header.Get("Location")))
	case code == http.StatusBadRequest && bytes.Contains(body, []byte("Svix headers")):
		return "signature: the probe arrived without its svix headers; something on the way removes them"
	case code == http.StatusBadRequest:
		return "signature: answered 400 without recognising the probe; something on the way alters requests," +
			" or another program has this URL"
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Sprintf("edge: %s requires a login (%d), which Svix cannot provide; remove the access rule for this path", u.Host, code)
	case code == http.StatusNotFound:
		return fmt.Sprintf("origin: 404, nothing serves %s; check the path and the tunnel's target", clean.Line(u.Path))
	case code == http.StatusTooManyRequests:
		return fmt.Sprintf("edge: %s is rate limiting requests (429)", u.Host)
	case code == 530 || code >= 500 && bytes.Contains(body, []byte("1033")): // Cloudflare Tunnel error
		return fmt.Sprintf("edge: Cloudflare has no connected tunnel for %s (530, error 1033)", u.Host)
	case code == http.StatusBadGateway || code == http.StatusServiceUnavailable:
		return fmt.Sprintf("tunnel: answered %d; the request did not reach the receiver,"+
			" check the tunnel's target", code)
	case code == http.StatusGatewayTimeout || code == 522 || code == 524:
		return fmt.Sprintf("timeout: the edge got no answer (%d); the tunnel or the receiver hangs", code)
	case code >= 500:
		return fmt.Sprintf("edge: %s answered %d", u.Host, code)
	}
	return fmt.Sprintf("origin: answered %d without recognising the probe; another program has %s", code, u.Host)
}

const (
	probeTimeout = 10 * time.Second
	// probeAnswer is how much of an answer is read, in bytes, to find out who sent it.
	probeAnswer = 8 << 10
)

// Prober tests whether a public URL leads to this process: it sends a signed request
// that the receiver recognises. To others it looks like any delivery. A Prober is safe
// for concurrent use.
type Prober struct {
	sign      sig.Signer
	transport *http.Transport
	pending   sync.Map // of *atomic.Bool by id: whether a running probe has arrived
}

// NewProber returns a Prober that signs its requests with sign. The receiver needs the
// same key as its Probe, and [Prober.Saw] as its Probed.
func NewProber(sign sig.Signer) *Prober {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// Every probe uses a new connection: an old one proves nothing if the DNS or the
	// network has changed.
	transport.DisableKeepAlives = true
	return &Prober{sign: sign, transport: transport}
}

// Saw must be called with the id of every probe that the receiver recognises, before
// it answers.
func (p *Prober) Saw(id string) {
	if arrived, ok := p.pending.Load(id); ok {
		arrived.(*atomic.Bool).Store(true)
	}
}

// Probe sends one request to the URL and waits up to 10 s for the answer.
func (p *Prober) Probe(ctx context.Context, url string) model.Probe {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	id := "probe_" + rand.Text()
	at := time.Now()
	problem := p.ask(ctx, url, id, at)
	return model.Probe{At: at, OK: problem == "", RoundTrip: time.Since(at), Detail: problem}
}

// ask sends the request and returns what is wrong, "" if nothing.
func (p *Prober) ask(ctx context.Context, url, id string, at time.Time) (problem string) {
	arrived := &atomic.Bool{}
	p.pending.Store(id, arrived)
	defer p.pending.Delete(id)
	body := []byte(`{"success":true}`)
	route := &route{}
	req, err := http.NewRequestWithContext(route.trace(ctx), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "invalid URL: " + clean.Line(err.Error())
	}
	route.host = req.URL.Hostname()
	if p.transport.Proxy != nil {
		if proxy, err := p.transport.Proxy(req); err == nil && proxy != nil {
			route.proxy = proxy.Hostname()
		}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "aspectop")
	sig.Svix.Set(req.Header, id, at, p.sign(id, at, body))

	// Svix does not follow redirects either.
	client := http.Client{
		Transport:     p.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return route.failure(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, probeAnswer))
	if err != nil {
		return route.failure(err)
	}
	return diagnose(res, text, arrived.Load(), req.URL)
}
