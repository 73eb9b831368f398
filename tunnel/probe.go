package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

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
