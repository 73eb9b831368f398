// Package web shows the board to browsers, live and read-only: the report of package
// printer/report, kept fresh by server-sent events.
//
// Access is by the page's address, which holds a random token, or by the login of a proxy
// in front. The page shows no user ids or URLs, loads nothing from other servers and sets
// no cookie. A slow client skips to the newest state and holds nothing up.
package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	_ "embed"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
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
	// Name is what an asset is called, "" if that is not known; nil: ids only.
	Name func(asset string) string
	// Token is the first part of every path; see [NewToken]. "" asks for none: a
	// proxy in front asks for a login.
	Token string
	// Hosts are those that requests may be for if there is no token, against DNS
	// rebinding.
	Hosts []string
	TLS   *tls.Config // nil serves HTTP
	Title string      // of the page, clean; "" for the usual one

	limits limits
}

// Journal is what the page reads of the journal beside the feed.
type Journal interface {
	Get(ctx context.Context, seq int64) (model.Delivery, error)
	Repeats(ctx context.Context, message int64) ([]model.Delivery, error)
}

// limits bound what clients can cost.
type limits struct {
	streams     int           // at once
	connections int           // at once
	details     int           // requests for a task's details at once
	pace        time.Duration // least time between two states
	beat        time.Duration // most time between two states
	stall       time.Duration // until a client that does not read is disconnected
	request     time.Duration // to read a request and to answer one that is no stream
}

var usualLimits = limits{
	streams: 64, connections: 256, details: 4,
	pace: time.Second, beat: 5 * time.Second, stall: 30 * time.Second, request: 10 * time.Second,
}

// NewToken returns a token of 192 random bits.
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
		Config: c, state: &state{Config: c},
		details: make(chan struct{}, c.limits.details), streams: make(chan struct{}, c.limits.streams),
	}
	s.http = &http.Server{
		Handler: s, TLSConfig: c.TLS, BaseContext: func(net.Listener) context.Context { return ctx },
		ReadTimeout: c.limits.request, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // what clients send must not reach a terminal
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

// ServeHTTP answers a request. Whatever is wrong with it, the answer is the same 404.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	path, ok := s.inside(r)
	if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.NotFound(w, r)
		return
	}
	if path != "events" { // it has a deadline for each write
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

// inside is the path of a request behind the token. ok is false if that is wrong, or the
// host.
func (s *Server) inside(r *http.Request) (path string, ok bool) {
	path = strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if s.Token == "" {
		return path, slices.Contains(s.Hosts, strings.ToLower(r.Host))
	}
	token, path, found := strings.Cut(path, "/")
	// Hashed, so that the comparison does not leak the length.
	given, right := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.Token))
	return path, subtle.ConstantTimeCompare(given[:], right[:]) == 1 && found
}

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

// Hosts are the names for the page of a proxy and of this machine's own browser: those of
// the proxy's URL and of the address that is listened on.
func Hosts(proxy *url.URL, address net.Addr) []string {
	hosts := []string{strings.ToLower(proxy.Host), strings.ToLower(address.String())}
	if _, port, err := net.SplitHostPort(address.String()); err == nil {
		hosts = append(hosts, net.JoinHostPort("localhost", port))
	}
	return hosts
}

// limited is a listener that closes connections beyond a number at once, so that a client
// that holds many keeps no other waiting.
type limited struct {
	net.Listener
	slots chan struct{}
}

// unread is how many bytes the kernel holds for a client that does not read them.
const unread = 128 << 10

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			if tcp, ok := c.(*net.TCPConn); ok {
				tcp.SetWriteBuffer(unread)
			}
			return &slotted{Conn: c, give: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			c.Close()
		}
	}
}

// slotted is a connection that gives its slot back when it is closed.
type slotted struct {
	net.Conn
	give func()
}

func (c *slotted) Close() error {
	defer c.give()
	return c.Conn.Close()
}
