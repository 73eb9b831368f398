package tunnel

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
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

type flight struct {
	*Prober
	id       string
	at       time.Time // when it was sent
	to       *url.URL
	host     string // of that URL with its port, for words
	path     string // of that URL, escaped
	proxy    string // host and port of the proxy that is asked instead, "" if none is
	body     []byte
	header   http.Header  // what was signed
	hop      atomic.Int32 // how far it came
	answered atomic.Int64 // when the answer began, in ns since 1970

	landed  chan struct{} // closed at the first landing
	landing *landing      // guarded by the Prober's mu, as over is
	over    bool          // nothing is expected of it any more
}

// landing is how a probe arrived at the receiver.
type landing struct {
	at    time.Time
	fault string // what differs from what was sent, "" if nothing
}

// land notes an arrival. Of several copies an intact one counts.
func (f *flight) land(fault string) {
	if f.landing == nil {
		close(f.landed)
	}
	if f.landing == nil || fault == "" {
		f.landing = &landing{time.Now(), fault}
	}
}

// Foreign is the receiver's Foreign: what begins with another protocol while a probe is
// under way is taken for the probe.
func (p *Prober) Foreign(protocol, remedy string) (own bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.flights); n > 0 && !p.flights[n-1].over {
		p.flights[n-1].land(fmt.Sprintf("tunnel: what arrived here began with %s, not HTTP/1: %s", protocol, remedy))
		return true
	}
	return false
}

// Saw is the receiver's Probed: own reports whether the request is one of the newest
// probes, whatever happened to it on the way, intact whether nothing did. body may be nil
// if the method or the path is wrong.
func (p *Prober) Saw(r *http.Request, body []byte) (own, intact bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := r.Header.Get(sig.Svix.ID)
	for _, f := range p.flights {
		// Where the header was removed, a full probe has the id in its body too.
		if f.id == id || id == "" && len(body) > 0 && bytes.Contains(body, []byte(f.id)) {
			fault := f.compare(r, body)
			f.land(fault)
			return true, fault == ""
		}
	}
	return false, false
}

func (f *flight) arrival() *landing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.landing
}

// await waits a while for the probe to arrive.
func (f *flight) await(ctx context.Context) *landing {
	limit := time.NewTimer(f.wait)
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
	f := &flight{Prober: p, id: "probe_" + rand.Text(), at: time.Now(), landed: make(chan struct{}), body: []byte{}}
	if full {
		f.body = probeBody(f.id)
	}
	took, problem := f.fly(ctx, url)
	p.mu.Lock()
	defer p.mu.Unlock()
	f.over = true
	return model.Probe{At: f.at, OK: problem == "", RoundTrip: took, Detail: problem}
}

// fly sends the request and returns what is wrong, "" if nothing.
func (f *flight) fly(ctx context.Context, url string) (took time.Duration, problem string) {
	asking, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(f.trace(asking), http.MethodPost, url, bytes.NewReader(f.body))
	if err != nil {
		return 0, "invalid URL: " + clean.Line(err.Error())
	}
	f.to, f.host, f.path = req.URL, clean.Line(req.URL.Host), req.URL.EscapedPath()
	if _, proxy, ok := strings.Cut(loopback.Via(f.transport, req), "://"); ok {
		f.proxy = clean.Line(proxy)
	}
	sig.Svix.Set(req.Header, f.id, f.at, f.sign(f.id, f.at, f.body))
	f.header = req.Header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "aspectop")
	f.mu.Lock()
	f.flights = append(f.flights, f)
	f.flights = f.flights[max(0, len(f.flights)-flightsKept):]
	f.mu.Unlock()

	// Svix does not follow redirects either.
	client := http.Client{
		Transport:     f.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return time.Since(f.at), f.failure(ctx, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, probeAnswer))
	if err != nil {
		return time.Since(f.at), f.failure(ctx, err)
	}
	took = time.Since(f.at)
	if f.proxy != "" && res.StatusCode == http.StatusProxyAuthRequired {
		return took, fmt.Sprintf("proxy: %s, which the environment sets, asks for a user and password (407); give them there, or name %s in NO_PROXY",
			f.proxy, clean.Line(req.URL.Hostname()))
	}
	problem = f.diagnose(answer{res.StatusCode, res.Header.Get("Location"), text}, f.await(ctx))
	if f.proxy != "" && problem != "" {
		problem += " (the answer came through the proxy " + f.proxy + ", which the environment sets)"
	}
	return took, problem
}
