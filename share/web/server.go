// Package web shows the board to a browser, live and read-only: the report of
// package printer/report, kept fresh by server-sent events. It is for people in
// the room who never open a terminal.
//
// Whoever has the page's address sees it; the address holds a token that cannot
// be guessed, or a proxy in front asks for a login. The page never tells user ids
// and URLs. It asks nothing of any other server, sets no cookie and changes
// nothing.
//
// Nothing here waits for a client: each stream jumps to the newest state when its
// client has read the one before.
package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	_ "embed"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aspectop/feed"
	"aspectop/model"
	"aspectop/printer/report"
)

// Config is what a [Server] is given.
type Config struct {
	Feed    *feed.Feed
	Journal Journal
	Filter  *model.Filter // picks tasks; nil picks all
	Since   time.Time     // leaves out tasks without news since then; zero: none
	// Name tells what an asset is called, "" if that is not known; nil: ids only.
	Name func(asset string) string
	// Token is the first part of every path; see [NewToken]. "" asks for none,
	// where a proxy in front asks for a login.
	Token string
	// Hosts are the only ones that requests may be for if there is no token, so
	// that no page elsewhere can have a browser read this one under another name.
	Hosts []string
	// TLS serves HTTPS; nil serves HTTP.
	TLS *tls.Config

	limits limits
}

// Journal is what the page reads of the journal beside the feed.
type Journal interface {
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)
}

// limits bound what clients can cost.
type limits struct {
	streams     int           // that follow at once
	connections int           // open at once
	details     int           // requests for a task's details at once
	pace        time.Duration // least time between two states
	beat        time.Duration // most time between two states
	stall       time.Duration // until a client that does not read is ended
	request     time.Duration // to read a request and to answer one that is no stream
}

var usualLimits = limits{
	streams: 64, connections: 256, details: 4,
	pace: time.Second, beat: 5 * time.Second, stall: 30 * time.Second, request: 10 * time.Second,
}

// NewToken returns a token that cannot be guessed: 192 random bits.
func NewToken() string {
	b := make([]byte, 24)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Server serves the page.
type Server struct {
	Config
	http    *http.Server
	state   *state
	details chan struct{}
	streams chan struct{}
}

// New returns a server.
func New(c Config) *Server {
	if c.limits == (limits{}) {
		c.limits = usualLimits
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		Config: c, state: newState(c),
		details: make(chan struct{}, c.limits.details), streams: make(chan struct{}, c.limits.streams),
	}
	s.http = &http.Server{
		Handler: s, TLSConfig: c.TLS, BaseContext: func(net.Listener) context.Context { return ctx },
		ReadTimeout: c.limits.request, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: quiet(),
	}
	s.http.RegisterOnShutdown(cancel) // ends the streams, which say so
	return s
}

// Serve serves until Shutdown. It returns nil after that.
func (s *Server) Serve(l net.Listener) error {
	l = &limited{l, make(chan struct{}, s.limits.connections)}
	serve := s.http.Serve
	if s.TLS != nil {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// Shutdown tells the pages that the program ends, and closes all connections.
func (s *Server) Shutdown(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

//go:embed live.js
var script string

//go:embed live.css
var style string

// ServeHTTP answers a request. Whatever is wrong with it, the answer is the same:
// nothing is here.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	path, ok := s.inside(r)
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	if path != "events" { // which has a deadline for each write
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.limits.request))
	}
	switch path {
	case "":
		s.page(w)
	case "page.css":
		answer(w, "text/css; charset=utf-8", report.Style+style)
	case "page.js":
		answer(w, "text/javascript; charset=utf-8", report.Script+script)
	case "task":
		s.task(w, r)
	case "events":
		s.events(w, r)
	default:
		http.NotFound(w, r)
	}
}

// inside is the path of a request behind the token. ok is false if it has not the
// right one, or is for another host.
func (s *Server) inside(r *http.Request) (path string, ok bool) {
	path = strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if s.Token == "" {
		return path, slices.Contains(s.Hosts, strings.ToLower(r.Host))
	}
	token, path, found := strings.Cut(path, "/")
	// Of sums, as the time of a comparison tells the length.
	given, right := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.Token))
	return path, subtle.ConstantTimeCompare(given[:], right[:]) == 1 && found
}

// protect sets what keeps the page from doing, and telling, more than it should.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer") // the address holds the token
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Cache-Control", "no-store")
}

func answer(w http.ResponseWriter, kind, text string) {
	w.Header().Set("Content-Type", kind)
	w.Write([]byte(text))
}

// Hosts are the names under which a proxy and this machine's own browser ask for
// the page: that of the proxy's URL, and that of the address that is listened on.
func Hosts(proxy *url.URL, address net.Addr) []string {
	hosts := []string{strings.ToLower(proxy.Host), strings.ToLower(address.String())}
	if _, port, err := net.SplitHostPort(address.String()); err == nil {
		hosts = append(hosts, net.JoinHostPort("localhost", port))
	}
	return hosts
}
