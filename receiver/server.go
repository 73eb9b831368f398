// Package receiver is the HTTP server that Svix posts to. It limits what a
// stranger can cost, verifies the raw bytes of a delivery, hands genuine ones to
// a journal, and acknowledges them only once the journal has them on disk.
//
// It does not read events, draw, forward or open tunnels, and does not know how
// a journal keeps deliveries: see [Appender].
package receiver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
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
	// keepTimeout is how long a delivery may wait for the disk. Svix itself
	// waits 15 s for an answer.
	keepTimeout = 10 * time.Second
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
	// Probe, if not zero, is the key of requests that this process sends to
	// itself. They are answered like any delivery, but reported to Probed, by
	// their id, instead of being kept and counted.
	Probe  Secret
	Probed func(id string)
	// Ready returns the reason why nothing can be kept now, for GET /readyz. Nil
	// means that deliveries can always be kept.
	Ready func(context.Context) error
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Server receives deliveries. It may be used by any number of goroutines.
type Server struct {
	path     string
	verifier *Verifier
	probe    *Verifier // nil if there is none
	probed   func(id string)
	journal  Appender
	status   *model.StatusLog
	now      func() time.Time

	http    *http.Server
	tally   tally
	ready   readiness
	failing atomic.Bool   // the last delivery could not be kept
	large   chan struct{} // holds one token for each large body in memory

	// life ends when Shutdown cuts the requests that are still in flight. Appends
	// run under it instead of the request's context, so that a client that goes
	// away does not fail a commit.
	life context.Context
	end  context.CancelFunc

	// keeping guards the context that the deliveries of the last second share, and
	// the time when it was made.
	keeping      sync.Mutex
	keepingUnder context.Context
	keepingSince time.Time
}

// New returns a Server that does not listen yet.
func New(c Config) (*Server, error) {
	if c.Path == "" {
		c.Path = DefaultPath
	}
	if err := checkPath(c.Path); err != nil {
		return nil, err
	}
	if c.Journal == nil || c.Status == nil {
		return nil, errors.New("the receiver needs a journal and a status log")
	}
	verifier, err := NewVerifier(c.Secrets)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{
		path:     c.Path,
		verifier: verifier,
		journal:  c.Journal,
		status:   c.Status,
		now:      c.Now,
		large:    make(chan struct{}, maxLarge),
		ready:    readiness{ask: c.Ready},
	}
	if c.Probe.key != nil {
		if s.probe, err = NewVerifier([]Secret{c.Probe}); err != nil {
			return nil, err
		}
		s.probed = c.Probed
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.http = &http.Server{
		Handler: s,
		// Also for the header alone, and between requests: net/http uses it for
		// every time-out that is not set.
		ReadTimeout: readTimeout,
		// Counts from the end of the header, so it covers reading the body,
		// keeping it and answering.
		WriteTimeout: readTimeout + keepTimeout,
		// net/http reads 4 KiB more than it is told.
		MaxHeaderBytes:               maxHeader - 4<<10,
		DisableGeneralOptionsHandler: true,
		ConnState:                    follow,
		ConnContext:                  withSlot,
		// It would only log faults of clients, and stderr may be a screen.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return s, nil
}

// checkPath refuses a path that no request can have, or that is in use.
func checkPath(path string) error {
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
	err := s.http.Serve(newSlots(l, maxConnections))
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
	return err
}

// Counts returns what became of the requests since the start.
func (s *Server) Counts() Counts { return s.tally.counts() }
