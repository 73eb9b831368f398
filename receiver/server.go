// Package receiver is the HTTP server that Svix posts to. It limits what unverified
// requests can cost, verifies the raw bytes of a delivery, hands genuine ones to a
// journal, and acknowledges them once they are durable.
package receiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/model"
)

const (
	// DefaultPath is the path that takes deliveries by default.
	DefaultPath = "/webhooks/aspect"
	healthPath  = "/healthz" // the process is up
	readyPath   = "/readyz"  // deliveries can be kept

	// MaxBody is the largest body that is accepted, in bytes. Svix's hosted API
	// sends no larger ones.
	MaxBody = 1 << 20

	maxHeader      = 32 << 10
	maxConnections = 1024
	readTimeout    = 10 * time.Second
	// idleTimeout is longer than proxies keep idle connections (nginx 60 s, caddy 120 s,
	// Google's load balancer 600 s): who closes first loses what the other is sending.
	idleTimeout = 650 * time.Second
	keepTimeout = 10 * time.Second // for the disk; Svix waits 15 s for an answer
)

// Appender keeps deliveries.
type Appender interface {
	// Append returns nil once d is durable, with its Seq, Message, Attempt and
	// Differs filled in, or the reason why it could not be kept. It should give
	// up when ctx ends. After an error it may still read d, so the caller must
	// not change d any more.
	Append(ctx context.Context, d *model.Delivery) error
}

// Config says what a Server is made of. Secrets, Journal and Status are needed.
type Config struct {
	// Path takes the deliveries. It is the escaped path, compared exactly;
	// "" is [DefaultPath].
	Path    string
	Secrets []Secret
	Journal Appender
	// Status gets the rejected requests, and a notice whenever deliveries can no
	// longer be kept, or can be again.
	Status *model.StatusLog
	// Probed, if not nil, is asked about every request that no secret has signed or that
	// has another path or method (body is then nil): own reports whether this process has
	// sent it to itself, intact whether it arrived as it was sent. Such a request is
	// answered like any other, but neither kept, counted nor recorded.
	Probed func(r *http.Request, body []byte) (own, intact bool)
	// Foreign, if not nil, is told of every connection that began with a protocol other
	// than HTTP/1, and what would mend it; own reports whether this process began it.
	Foreign func(protocol, remedy string) (own bool)
	// Keep keeps rejected requests, at most ten a second, which it is called for once a
	// second; nil keeps none. They may share memory, so it must not change them.
	Keep func([]model.Rejected) error
	// Ready returns the reason why nothing can be kept now, for GET /readyz; nil if
	// deliveries always can.
	Ready func(context.Context) error
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Counts are the deliveries, each counted once. Requests with other paths or methods are
// counted as rejected if their headers are those of a delivery, and so is what is no valid
// HTTP/1 request.
type Counts struct {
	Verified  int64 // kept and acknowledged: first deliveries of a message
	Duplicate int64 // kept and acknowledged: repeats
	Unkept    int64 // answered 503: the journal failed, or too many large bodies came at once
	Rejected  map[model.Reason]int64
}

var reasons = []model.Reason{
	model.MissingHeaders, model.Malformed, model.NoMatch, model.TooOld, model.TooNew, model.TooLarge,
	model.WrongPath, model.WrongMethod, model.NotHTTP,
}

// Server receives deliveries. It may be used by any number of goroutines.
type Server struct {
	Config
	verifier *Verifier

	http    *http.Server
	ready   readiness
	keeper  keeper
	unread  limiter // of what is told that is no request
	checks  checks
	failing atomic.Bool   // the last delivery could not be kept
	large   chan struct{} // holds one token for each large body in memory

	// life ends when Shutdown cuts the requests in flight. Appends run under it, so
	// that a client that disconnects does not fail a commit.
	life context.Context
	end  context.CancelFunc

	mu           sync.Mutex // guards what follows
	counts       Counts
	keeping      context.Context // shared by the deliveries of a second
	keepingSince time.Time
}

// Trust makes the server also accept what the secret has signed. Calls must not overlap.
func (s *Server) Trust(secret Secret) { s.verifier.trust(secret) }

// New returns a Server that does not listen yet.
func New(c Config) (*Server, error) {
	c.Path = cmp.Or(c.Path, DefaultPath)
	if err := CheckPath(c.Path); err != nil {
		return nil, err
	}
	if c.Journal == nil || c.Status == nil {
		return nil, errors.New("the receiver needs a journal and a status log")
	}
	verifier, err := NewVerifier(c.Secrets)
	if err != nil {
		return nil, err
	}
	verifier.hints.most, verifier.hints.every = hintsPerSecond, time.Second
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{
		Config: c, verifier: verifier, large: make(chan struct{}, maxLarge),
		keeper: keeper{save: c.Keep}, unread: limiter{most: toldPerMinute, every: time.Minute},
	}
	s.counts.Rejected = make(map[model.Reason]int64, len(reasons))
	for _, reason := range reasons {
		s.counts.Rejected[reason] = 0
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler:                      s,
		ReadTimeout:                  readTimeout, // also of the header
		IdleTimeout:                  idleTimeout,
		WriteTimeout:                 readTimeout + keepTimeout, // from the end of the header
		MaxHeaderBytes:               maxHeader - 4<<10,         // net/http reads 4 KiB more
		DisableGeneralOptionsHandler: true,
		ConnState:                    connState,
		ConnContext:                  withSlot,
		ErrorLog:                     log.New(io.Discard, "", 0), // stderr may be a screen
	}
	return s, nil
}

// CheckPath refuses a path that no request can have, or that is in use.
func CheckPath(path string) error {
	u, err := url.ParseRequestURI(path)
	switch {
	case err != nil || path[0] != '/' || u.EscapedPath() != path:
		return fmt.Errorf("%q cannot be the path of the webhook: it must start with / and be escaped as in a URL,"+
			" without a query, such as %s", path, DefaultPath)
	case path == healthPath || path == readyPath:
		return fmt.Errorf("%s cannot be the path of the webhook: it answers health checks", path)
	}
	return nil
}

// Serve accepts connections on l until Shutdown and then returns nil. Any other
// end is an error. It closes l.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(newSlots(l, maxConnections, s.refuseProtocol, s.refuseAnswered))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("the receiver stopped accepting on %s: %w", l.Addr(), err)
}

// Shutdown stops accepting at once, answers the requests in flight, and returns nil
// when that is done. If ctx ends first, it closes the remaining connections, gives
// up their requests, and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.end()
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	s.keeper.flush()
	return err
}

// NotKept is how many rejected requests were not kept. Those of the last second may still
// be, until Shutdown.
func (s *Server) NotKept() int64 { return s.keeper.lose(0) }

// Counts returns what became of the requests since the start.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Rejected = maps.Clone(c.Rejected)
	return c
}

func (s *Server) count(change func(*Counts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.counts)
}
