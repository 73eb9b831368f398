// Package ssh shows the screen to others over SSH, read-only. A listed key gets a screen
// of its own on a terminal, or lines with "ssh host -- --plain" and "ssh host -- --json",
// and nothing else: no shell, no command, no forwarding, no subsystem. A client that stops
// reading holds up its own session only, and is disconnected.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"

	"aspectop/model"
)

// Config is what a [Server] is given.
type Config struct {
	Keys     *Keys
	HostKey  gossh.Signer
	Sessions int // how many may watch at once

	// Screen returns the program for one client. ctx ends with the session.
	Screen func(ctx context.Context, c Client) tea.Model
	// Lines writes sentences, or JSON lines, until ctx ends. terminal says that the
	// client has one.
	Lines func(ctx context.Context, out io.Writer, json, terminal bool) error
	// Report is called, by one goroutine at a time, when a viewer joins or leaves.
	Report func(model.Viewer)
	// Notice is called by any goroutine with messages for the host.
	Notice func(text string)

	limits limits
}

// limits bound what clients can cost.
type limits struct {
	login    time.Duration // from connecting to being logged in, and then to the first session
	stall    time.Duration // until a client that does not read is disconnected
	idle     time.Duration // without a key being pressed
	alive    time.Duration // between keep-alive requests
	recheck  time.Duration // between reads of the file of keys while there are viewers
	halfOpen int           // connections that have not logged in
	perHost  int           // of those, from one address
	release  time.Duration // from the end of a session until its memory is given back
	tries    int           // keys a connection may offer
	channels int           // sessions in one connection, as OpenSSH's MaxSessions
}

var usualLimits = limits{
	login: 20 * time.Second, stall: time.Minute, idle: 12 * time.Hour, alive: 15 * time.Second, recheck: time.Second,
	release:  3 * time.Second,
	halfOpen: 64, perHost: 8, tries: 6, channels: 10,
}

// Server serves screens over SSH.
type Server struct {
	config Config
	ssh    *ssh.Server

	ctx context.Context // of all sessions
	end context.CancelCauseFunc

	turns    chan struct{} // has room for as many as may draw at once
	released released

	mu       sync.Mutex // guards what follows
	halfOpen []*conn    // not logged in yet, oldest first
	loggedIn int        // connections
	viewers  []*viewer  // the longest there first
	percent  int        // of garbage, while nobody watches
	warned   time.Time  // when a refused key was last reported
	checking bool       // checkKeys runs
	closed   bool
	sessions sync.WaitGroup

	reporting sync.Mutex // held while Report is called
}

type viewer struct {
	model.Viewer
	key  gossh.PublicKey
	from net.Addr
	end  context.CancelCauseFunc
}

// New returns a server that does not listen yet.
func New(config Config) (*Server, error) {
	if config.limits == (limits{}) {
		config.limits = usualLimits
	}
	s := &Server{config: config, turns: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	s.released.after, s.released.free = config.limits.release, debug.FreeOSMemory
	s.ctx, s.end = context.WithCancelCause(context.Background())
	s.ssh = &ssh.Server{
		Version: "aspectop", Handler: s.handle, PublicKeyHandler: s.allowed, PtyCallback: s.mayHaveTerminal,
		ConnCallback: s.connected, ServerConfigCallback: s.serverConfig,
		ChannelHandlers:   map[string]ssh.ChannelHandler{"session": s.channel},
		RequestHandlers:   map[string]ssh.RequestHandler{}, // no forwarding of ports
		SubsystemHandlers: map[string]ssh.SubsystemHandler{},
	}
	s.ssh.AddHostKey(config.HostKey)
	return s, s.ssh.SetOption(ssh.EmulatePty())
}

// Serve serves those who connect to the listener, until Shutdown.
func (s *Server) Serve(l net.Listener) error {
	if err := s.ssh.Serve(l); !errors.Is(err, ssh.ErrServerClosed) {
		return err
	}
	return nil
}

var errClosing = errors.New("")

// Shutdown accepts no more connections and ends all sessions, which restores the
// clients' terminals. Clients that are still connected when ctx ends are cut off.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.end(errClosing)
	done := make(chan struct{})
	go func() {
		s.sessions.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
	// OpenSSH's client reports an error if the connection is closed before it has
	// closed its channel.
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	s.ssh.Shutdown(ctx)
	return s.ssh.Close()
}

// closeTime is how long clients may take to close their connections.
const closeTime = time.Second

// Viewers are the present ones, the longest there first.
func (s *Server) Viewers() []model.Viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]model.Viewer, len(s.viewers))
	for i, v := range s.viewers {
		all[i] = v.Viewer
	}
	return all
}

func (s *Server) serverConfig(ctx ssh.Context) *gossh.ServerConfig {
	return &gossh.ServerConfig{
		MaxAuthTries: s.config.limits.tries,
		AuthLogCallback: func(_ gossh.ConnMetadata, _ string, err error) {
			if err == nil {
				connOf(ctx).enter()
			}
		},
	}
}

// allowed decides whether a key may log in, before the client proves that it has the
// private one.
func (s *Server) allowed(ctx ssh.Context, key ssh.PublicKey) bool {
	grant, ok := s.config.Keys.Lookup(key, ctx.RemoteAddr())
	if !ok {
		connOf(ctx).refused(gossh.FingerprintSHA256(key))
		return false
	}
	ctx.SetValue(grantKey{}, grant)
	return true
}

func (s *Server) mayHaveTerminal(ctx ssh.Context, _ ssh.Pty) bool { return grantOf(ctx).Terminal }

type grantKey struct{}

func grantOf(ctx ssh.Context) Grant {
	g, _ := ctx.Value(grantKey{}).(Grant)
	return g
}

// join adds a viewer, or says why not.
func (s *Server) join(v *viewer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the program is ending")
	}
	if n := s.config.Sessions; len(s.viewers) >= n {
		return fmt.Errorf("%d watch already, and no more are let in (--ssh-sessions)", n)
	}
	s.viewers = append(s.viewers, v)
	if len(s.viewers) == 1 {
		s.collect(watchedPercent)
	}
	s.sessions.Add(1)
	if !s.checking {
		s.checking = true
		go s.checkKeys()
	}
	return nil
}

func (s *Server) leave(v *viewer) {
	s.mu.Lock()
	s.viewers = without(s.viewers, v)
	if len(s.viewers) == 0 {
		s.collect(s.percent)
	}
	s.mu.Unlock()
	s.report(v, true)
	s.released.soon()
	s.sessions.Done()
}

func without[T comparable](list []T, gone T) []T {
	return slices.DeleteFunc(list, func(one T) bool { return one == gone })
}

func (s *Server) report(v *viewer, left bool) {
	s.reporting.Lock()
	defer s.reporting.Unlock()
	event := v.Viewer
	event.Left = left
	s.mu.Lock()
	event.Watching = len(s.viewers)
	s.mu.Unlock()
	s.config.Report(event)
}

// checkKeys ends the sessions of keys that are no longer listed, as long as there are
// viewers.
func (s *Server) checkKeys() {
	tick := time.NewTicker(s.config.limits.recheck)
	defer tick.Stop()
	for range tick.C {
		s.mu.Lock()
		watching := slices.Clone(s.viewers)
		s.checking = len(watching) > 0
		s.mu.Unlock()
		if len(watching) == 0 {
			return
		}
		for _, v := range watching {
			if _, ok := s.config.Keys.Lookup(v.key, v.from); !ok {
				v.end(errors.New("your key is no longer listed"))
			}
		}
		for _, problem := range s.config.Keys.Problems() {
			s.config.Notice(problem)
		}
	}
}

func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return strings.TrimPrefix(h, "::ffff:")
}
