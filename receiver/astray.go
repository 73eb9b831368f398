package receiver

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// protocol is one that proxies speak by mistake to this port.
type protocol struct {
	name  string
	do    string // what would mend it
	begin string // its first bytes
	least int    // how many of them are enough to tell it
}

var protocols = []protocol{
	{"the PROXY protocol (version 1)", noProxyProtocol, "PROXY ", 6},
	{"the PROXY protocol (version 2)", noProxyProtocol, "\r\n\r\n\x00\r\nQUIT\n", 5},
	{"TLS", "this port takes plain HTTP: have the proxy or tunnel connect to http://, not to https://", "\x16\x03", 2},
	{"HTTP/2", "have the proxy or tunnel speak HTTP/1.1 to this port", "PRI * HTTP/2.0\r\n", 5},
}

const (
	noProxyProtocol = "switch it off for this port, such as send-proxy in haproxy or proxy_protocol in nginx"
	toldPerMinute   = 5
	maxPath         = 200
	maxMethod       = 32
)

// protocolOf returns the protocol that the first bytes of a connection are of, nil if it
// may be HTTP/1.
func protocolOf(first []byte) *protocol {
	for i := range protocols {
		p := &protocols[i]
		n := min(len(first), len(p.begin))
		if n >= p.least && bytes.HasPrefix(first, []byte(p.begin[:n])) {
			return p
		}
	}
	return nil
}

func (s *Server) refuseProtocol(p protocol) {
	if s.Foreign != nil && s.Foreign(p.name, p.do) {
		return
	}
	s.refuseUnread(model.Verdict{
		Reason: model.NotHTTP, Detail: "not HTTP/1: the connection began with " + p.name, Hint: p.do,
	})
}

// refuseAnswered is for a request that net/http has answered by itself, with that status.
func (s *Server) refuseAnswered(status string) {
	v := model.Verdict{Reason: model.Malformed, Detail: "malformed: no valid HTTP/1 request, answered " + clean.Line(status)}
	switch status[:min(3, len(status))] {
	case "417":
		v.Hint = "have the proxy or tunnel leave the header Expect out"
	case "431":
		v.Reason, v.Detail = model.TooLarge, fmt.Sprintf("too large: more than %d KiB of headers", maxHeader>>10)
		v.Hint = "have the proxy or tunnel add fewer of them"
	}
	s.refuseUnread(v)
}

// refuseUnread counts what came instead of a request that can be read and, unless it is one
// of many, tells it.
func (s *Server) refuseUnread(v model.Verdict) {
	s.count(func(c *Counts) { c.Rejected[v.Reason]++ })
	now := s.Now().UTC()
	if !s.unread.allow(now) {
		s.Status.AddUntold()
		s.keeper.lose(1)
		return
	}
	s.tell(&model.Rejected{At: now, Verdict: v})
}

// refuseAstray rejects a request to another path or with another method, if its headers are
// those of a delivery. Its body is not read, and nothing is verified.
func (s *Server) refuseAstray(r *http.Request, reason model.Reason) {
	if own, _ := s.ownProbe(r, nil); own || !signed(r.Header) {
		return
	}
	v := model.Verdict{Reason: reason}
	if reason == model.WrongMethod {
		v.Detail = "wrong method: a delivery is a POST"
		v.Hint = "let the proxy or tunnel pass the method on"
		if r.Method == http.MethodGet {
			v.Hint = "a redirect on the way turns POST into GET: use the URL that it leads to"
		}
	} else {
		v.Detail = "wrong path: this receiver's is " + s.Path
		v.Hint = pathRemedy(r.URL.EscapedPath(), s.Path)
	}
	s.count(func(c *Counts) { c.Rejected[reason]++ })
	rejected := rejected(r, claimedID(r.Header), v, nil)
	rejected.At = s.Now().UTC()
	rejected.Path = cut(clean.Text(r.URL.EscapedPath()), maxPath)
	rejected.Method = cut(clean.Text(r.Method), maxMethod)
	s.tell(rejected)
}

func signed(h http.Header) bool {
	for _, f := range sig.Families {
		if h.Get(f.ID) != "" || h.Get(f.Stamp) != "" || h.Get(f.Signature) != "" {
			return true
		}
	}
	return false
}

// pathRemedy says what leads requests for the path at to the path want. It quotes neither:
// private screens show it.
func pathRemedy(at, want string) string {
	switch {
	case at == want+"/" || at+"/" == want:
		return "they differ by the slash at the end: correct the endpoint's URL or the proxy's target"
	case at == "/" || at == "":
		return "the endpoint's URL has no path, or the proxy drops it: add the path"
	case plain(at) == plain(want):
		return "it is the same path written in another way: write it as here, without further slashes, dots or escapes"
	case strings.HasSuffix(at, want):
		return "the proxy or the endpoint's URL puts a prefix before it: remove that there, or give the path with the prefix to --path"
	case strings.HasSuffix(want, at):
		return "the proxy removes the beginning of the path: have it pass the path on, or give the path that arrives to --path"
	}
	return "change the endpoint's URL, or give the path that arrives to --path"
}

// plain is a path without escapes, dots and double slashes.
func plain(escaped string) string {
	if text, err := url.PathUnescape(escaped); err == nil {
		escaped = text
	}
	return path.Clean(escaped)
}

// checks notices health checks of a load balancer at /, which get 404 there.
type checks struct {
	mu    sync.Mutex
	since time.Time
	count int
	told  bool
}

const (
	checksIn   = time.Minute
	checksTold = 3
)

// tell counts a request for / and reports whether they are to be told: once, when there
// were some within a minute.
func (c *checks) tell(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.since) > checksIn {
		c.since, c.count = now, 0
	}
	c.count++
	if c.told || c.count < checksTold {
		return false
	}
	c.told = true
	return true
}
