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
	// DefaultPath is where deliveries are taken if nothing else is said.
	DefaultPath = "/webhooks/aspect"
	healthPath  = "/healthz" // the process is up
	readyPath   = "/readyz"  // deliveries can be kept

	// MaxBody is the largest body that is accepted, in bytes: what Svix's
	// hosted API sends at most.
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
	// Append returns once d is durable, with its Seq, Message, Attempt and
	// Differs filled in, or with the reason why it could not be kept. It should
	// give up when ctx ends. After an error it may still read d, so the caller
	// must not change it any more.
	Append(ctx context.Context, d *model.Delivery) error
}

// Config says what a Server is made of. Secrets, Journal and Status are needed.
type Config struct {
	// Path takes the deliveries. It is the escaped path, compared exactly;
	// "" is [DefaultPath].
	Path    string
	Secrets []Secret
	Journal Appender
	// Status gets the rejected requests, and a notice whenever keeping
	// deliveries begins or ceases to fail.
	Status *model.StatusLog
	// Probe, if it is not zero, is the key of this process's own requests to
	// itself: they are answered like any delivery, but told to Probed, by the
	// id they carry, instead of being kept and counted.
	Probe  Secret
	Probed func(id string)
	// Ready says why nothing could be kept now, for GET /readyz; nil: it always
	// could.
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
	failing atomic.Bool   // the last thing to be kept was not
	large   chan struct{} // holds one token for each large body in memory

	// life ends when Shutdown cuts what is still in flight. Appends run under
	// it and not under the request's context, so that a client that goes away
	// does not turn what is being committed into an error.
	life context.Context
	end  context.CancelFunc

	// keeping guards the context of the deliveries that came within the last
	// second, and since when it has been used.
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
		// For the header, for the whole request, and for idling between two:
		// net/http uses it for what has no time-out of its own.
		ReadTimeout: readTimeout,
		// Counted from the end of the header, so it spans reading the body,
		// keeping it and answering.
		WriteTimeout: readTimeout + keepTimeout,
		// net/http reads 4 KiB more than it is told.
		MaxHeaderBytes:               maxHeader - 4<<10,
		DisableGeneralOptionsHandler: true,
		ConnState:                    follow,
		ConnContext:                  withSlot,
		// What it would log is a client's fault, and stderr may be a screen.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	return s, nil
}

// checkPath refuses a path that no request could have, or that is taken.
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

// Serve accepts connections on l until Shutdown, and then returns nil; any
// other end is an error. It closes l.
func (s *Server) Serve(l net.Listener) error {
	err := s.http.Serve(newSlots(l, maxConnections))
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("the receiver stopped accepting on %s: %w", l.Addr(), err)
}

// Shutdown stops accepting at once, answers what is in flight, and returns nil
// when that is done. When ctx ends first it cuts the remaining connections,
// gives up what they wait for, and returns the context's error.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.end()
	err := s.http.Shutdown(ctx)
	if err != nil {
		_ = s.http.Close()
	}
	return err
}

// Counts returns how many requests were judged since the start.
func (s *Server) Counts() Counts { return s.tally.counts() }
