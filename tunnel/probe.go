package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/model"
	"aspectop/sig"
)

const (
	probeTimeout = 8 * time.Second
	// arrivalWait is how long a probe may take to arrive after somebody else has answered
	// it: a relay may answer first and forward later.
	arrivalWait = 2 * time.Second
	// probeAnswer is how much of an answer is read, in bytes, to find out who sent it.
	probeAnswer = 8 << 10
	// flightsKept is how many probes are recognised: one that arrives late is still ours.
	flightsKept = 8
)

// Prober tests whether a public URL leads to this process: it sends a signed request
// that the receiver recognises. To others it looks like any delivery. A Prober is safe
// for concurrent use.
type Prober struct {
	sign      sig.Signer
	local     string // the receiver's host and port, for words
	path      string // the receiver's
	transport *http.Transport
	timeout   time.Duration // of an answer
	wait      time.Duration // see arrivalWait
	anyStatus bool          // an answer of the receiver's may come back with another 2xx

	mu      sync.Mutex
	flights []*flight // the newest
	foreign struct {  // the newest connection that began with another protocol
		at   time.Time
		told string
	}
}

// NewProber returns a Prober that signs its requests with sign. The receiver, at local
// (host:port) with the path, needs [Prober.Saw] as its Probed and [Prober.Foreign] as its
// Foreign.
func NewProber(sign sig.Signer, local, path string) *Prober {
	transport := loopback.Transport()
	// Every probe uses a new connection: an old one proves nothing if the DNS or the
	// network has changed.
	transport.DisableKeepAlives = true
	return &Prober{
		sign: sign, local: local, path: path, transport: transport,
		timeout: probeTimeout, wait: arrivalWait,
	}
}

// Foreign is the receiver's Foreign: what began with another protocol while a probe was
// under way was most likely the probe.
func (p *Prober) Foreign(protocol, remedy string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.foreign.at = time.Now()
	p.foreign.told = fmt.Sprintf("tunnel: what arrived here began with %s, but this port takes HTTP/1: %s", protocol, remedy)
}

// foreignSince says what came since then, "" if nothing.
func (p *Prober) foreignSince(at time.Time) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.foreign.at.Before(at) {
		return ""
	}
	return p.foreign.told
}

// flight is one probe.
type flight struct {
	id     string
	url    string // where it was sent, for words: the host
	path   string // of that URL, escaped
	body   []byte
	header http.Header // what was signed

	mu      sync.Mutex
	landing *landing
	landed  chan struct{} // closed at the first landing
}

// landing is how a probe arrived at the receiver.
type landing struct {
	at    time.Time
	fault string // what differs from what was sent, "" if nothing
}

// Saw is the receiver's Probed: own reports whether the request is one of the newest
// probes, whatever happened to it on the way, intact whether nothing did. body may be nil
// if the method or the path is wrong.
func (p *Prober) Saw(r *http.Request, body []byte) (own, intact bool) {
	f := p.flightOf(r.Header.Get(sig.Svix.ID), body)
	if f == nil {
		return false, false
	}
	fault := p.compare(f, r, body)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.landing == nil {
		close(f.landed)
	}
	if f.landing == nil || fault == "" { // of several copies an intact one counts
		f.landing = &landing{time.Now(), fault}
	}
	return true, fault == ""
}

// flightOf finds a probe by its id. Where the header was removed, a full probe has the id
// in its body too.
func (p *Prober) flightOf(id string, body []byte) *flight {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.flights {
		if f.id == id || id == "" && len(body) > 0 && bytes.Contains(body, []byte(f.id)) {
			return f
		}
	}
	return nil
}

func (f *flight) arrival() *landing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.landing
}

// await waits a while for the probe to arrive.
func (f *flight) await(ctx context.Context, d time.Duration) *landing {
	limit := time.NewTimer(d)
	defer limit.Stop()
	select {
	case <-f.landed:
	case <-limit.C:
	case <-ctx.Done():
	}
	return f.arrival()
}

// Probe sends one request to the URL and waits up to 8 s for the answer, and 2 s more for
// the request if another program has answered. A full probe has a body of 2 KiB that is
// compared on arrival; the other has none.
func (p *Prober) Probe(ctx context.Context, url string, full bool) model.Probe {
	at := time.Now()
	f := &flight{id: "probe_" + rand.Text(), landed: make(chan struct{}), body: []byte{}}
	if full {
		f.body = probeBody(f.id)
	}
	took, problem := p.ask(ctx, url, f, at)
	return model.Probe{At: at, OK: problem == "", RoundTrip: took, Detail: problem}
}

// ask sends the request and returns what is wrong, "" if nothing.
func (p *Prober) ask(ctx context.Context, url string, f *flight, at time.Time) (took time.Duration, problem string) {
	asking, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	route := &route{prober: p, flight: f, at: at}
	req, err := http.NewRequestWithContext(route.trace(asking), http.MethodPost, url, bytes.NewReader(f.body))
	if err != nil {
		return 0, "invalid URL: " + clean.Line(err.Error())
	}
	f.url, f.path = clean.Line(req.URL.Host), req.URL.EscapedPath()
	route.url = req.URL
	if _, proxy, ok := strings.Cut(loopback.Via(p.transport, req), "://"); ok {
		route.proxy = clean.Line(proxy)
	}
	sig.Svix.Set(req.Header, f.id, at, p.sign(f.id, at, f.body))
	f.header = req.Header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "aspectop")
	p.mu.Lock()
	p.flights = append(p.flights, f)
	p.flights = p.flights[max(0, len(p.flights)-flightsKept):]
	p.mu.Unlock()

	// Svix does not follow redirects either.
	client := http.Client{
		Transport:     p.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return time.Since(at), route.failure(ctx, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, probeAnswer))
	if err != nil {
		return time.Since(at), route.failure(ctx, err)
	}
	took = time.Since(at)
	if route.proxy != "" && res.StatusCode == http.StatusProxyAuthRequired {
		return took, fmt.Sprintf("proxy: %s, which the environment sets, asks for a user and password (407); give them there, or name %s in NO_PROXY",
			route.proxy, clean.Line(req.URL.Hostname()))
	}
	answered := time.Unix(0, route.answered.Load())
	problem = diagnose(answer{
		status: res.StatusCode, location: res.Header.Get("Location"), body: text, at: answered,
	}, f.await(ctx, p.wait), route)
	if route.proxy != "" && problem != "" {
		problem += " (the answer came through the proxy " + route.proxy + ", which the environment sets)"
	}
	return took, problem
}
