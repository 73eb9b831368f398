package forward

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"aspectop/loopback"
)

// pool has the kept connections to a handler. Each has a transport of its own, so that it is
// known which request gets it: only a 2xx answer keeps it, because servers such as uvicorn
// close it after any other without saying so.
type pool struct {
	open func() http.RoundTripper
	mu   sync.Mutex
	idle []http.RoundTripper
}

// take returns a line for one request: the one used last, or a new one.
func (l *pool) take() http.RoundTripper {
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.idle) - 1; last >= 0 {
		line := l.idle[last]
		l.idle = l.idle[:last]
		return line
	}
	return l.open()
}

// done takes a line back, to keep it or not.
func (l *pool) done(line http.RoundTripper, keep bool) {
	l.mu.Lock()
	if keep = keep && len(l.idle) < maxInFlight; keep {
		l.idle = append(l.idle, line)
	}
	l.mu.Unlock()
	if !keep {
		closeIdle(line)
	}
}

func closeIdle(line http.RoundTripper) { (&http.Client{Transport: line}).CloseIdleConnections() }

// Through has all requests made by t, and Close closes the kept connections.
func (h *Handler) Through(t http.RoundTripper) { h.lines.open = func() http.RoundTripper { return t } }

func (h *Handler) Close() {
	h.lines.mu.Lock()
	defer h.lines.mu.Unlock()
	for _, line := range h.lines.idle {
		closeIdle(line)
	}
	h.lines.idle = nil
}

// newLine posts as Svix does: HTTP/1.1, without compression.
func newLine(insecure bool) *http.Transport {
	t := loopback.Route(&http.Transport{
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        4 * time.Second, // Node's server closes after 5
	}, &net.Dialer{Timeout: timeLimit})
	if insecure {
		t.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	}
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c}, nil
	}
	return t
}

// conn does not fail when a server that has answered early closes while the request is
// still being written: what is read then decides, which is the answer, or the failure.
type conn struct {
	net.Conn
	broken bool
}

func (c *conn) Write(p []byte) (int, error) {
	if c.broken {
		return len(p), nil
	}
	n, err := c.Conn.Write(p)
	if loopback.Broken(err) {
		c.broken = true
		return len(p), nil
	}
	return n, err
}
