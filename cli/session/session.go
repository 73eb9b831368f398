// Package session is one run of a command that receives and shows, or only shows:
// it wires the receiver, the ways in, the handlers and the screen together.
package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sync/errgroup"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/private"
	"aspectop/receiver"
	"aspectop/source"
)

// drainTime is how long requests in flight may take at the end.
const drainTime = 2 * time.Second

// lastWords is how long the end may wait for somebody to read what is shown.
const lastWords = 5 * time.Second

// statusEntries is how many refusals and notices are held for slow readers.
const statusEntries = 1000

// Session is one run of a command that receives and shows, or only shows.
type Session struct {
	output  Output
	filter  *model.Filter
	secrets []receiver.Secret
	path    string
	try     string                      // suggestion for an empty screen
	instead func(context.Context) error // see RunWith

	place     string          // of the journal, for display
	temporary bool            // the journal is deleted at the end
	home      settings.Home   // of a journal that another process writes
	journal   journal.Journal // nil if another process writes it
	reader    journal.Reader
	readers   []journal.Reader // of OpenReader
	feed      *feed.Feed       // of all screens and the metrics; nil without either
	rows      journal.Reader   // for the details on a screen
	status    *model.StatusLog
	viewing   *model.StatusLog            // of viewers, if status is nil
	ssh       *sshServer                  // nil without --ssh
	web       *webServer                  // nil without --web
	recording *recording                  // nil without --record
	program   atomic.Pointer[tea.Program] // of the screen; nil before and without
	listener  net.Listener                // nil if nothing is received
	reach     *reach                      // nil: not public
	beside    []Service                   // run beside the receiver
	remarks   []string                    // to show at the start
	metrics   *metrics                    // nil without --metrics

	client   *aspect.Client // nil without a key
	names    *source.Names  // nil without a key
	handlers handlers
	gap      func() // reports that deliveries may have been missed
	notify   bool

	mu      sync.Mutex // guards secrets (see knownSecrets), sources and damage
	sources map[model.Source]source.Report
	damage  string // as last reported

	ready   chan struct{} // closed when deliveries are accepted
	public  string        // the public URL then
	probe   string        // the result of its probe then
	failed  bool          // serve returned an error
	showing chan struct{} // closed when new events will be shown
}

// Options configure a session.
type Options struct {
	Output  Output
	Filter  *model.Filter
	Secrets []receiver.Secret // for verifying deliveries
	Path    string            // of the receiver
	Try     string            // a command that produces a first event, suggested on an empty screen
}

// New prepares a session. Everything else is added by its methods before Run.
func New(o Options) *Session {
	go private.SweepTemps()
	return &Session{
		output: o.Output, filter: o.Filter, secrets: o.Secrets, path: o.Path, try: o.Try,
		status: model.NewStatusLog(statusEntries), gap: func() {},
		ready: make(chan struct{}), showing: make(chan struct{}),
	}
}

// View prepares a session that only shows a journal written by another process; run
// it with Show. A nil client means no API key.
func View(o Options, home settings.Home, reader journal.Reader, client *aspect.Client) *Session {
	s := New(o)
	s.home, s.place, s.reader, s.client = home, home.String(), reader, client
	// What is not in the journal cannot be shown.
	s.status, s.viewing = nil, model.NewStatusLog(statusEntries)
	s.tellDamage(reader)
	close(s.ready) // there is nothing to wait for
	return s
}

// Suggest sets a command that produces a first event, suggested on an empty screen.
func (s *Session) Suggest(command string) { s.try = command }

// Remark adds a sentence that is shown at the start.
func (s *Session) Remark(text string) { s.remarks = append(s.remarks, text) }

// Beside adds a service that runs beside the receiver.
func (s *Session) Beside(run Service) { s.beside = append(s.beside, run) }

// Watched reports whether anybody can see a screen or the live page.
func (s *Session) Watched() bool { return s.mode() == onScreen || s.ssh != nil || s.web != nil }

// RunWith is Run with show instead of the screen or the lines.
func (s *Session) RunWith(ctx context.Context, show func(context.Context) error) error {
	s.instead = show
	return s.Run(ctx)
}

// Service runs until ctx ends. If it returns earlier, the session ends with its
// error; ErrDone means success.
type Service func(ctx context.Context) error

// ErrDone is returned by a service to end the session successfully.
var ErrDone = errors.New("done")

// Listen opens the port. If next is set and the port is in use, it opens the next
// free one.
func (s *Session) Listen(address string, next bool) error {
	l, moved, err := listen("listen", address, next)
	if err != nil {
		return err
	}
	s.listener = l
	if moved {
		s.remarks = append(s.remarks, fmt.Sprintf("%s is in use, receiving on %s instead", address, l.Addr()))
	}
	if receiver.Public(l.Addr().String()) {
		s.remarks = append(s.remarks, fmt.Sprintf("%s is open to the network", l.Addr()))
	}
	return nil
}

// listen is [receiver.Listen] for the address that a flag gives.
func listen(flag, address string, next bool) (net.Listener, bool, error) {
	l, moved, err := receiver.Listen(address, next)
	switch {
	case errors.As(err, new(*receiver.AddressError)):
		return nil, false, exit.Usage("--%s: %w", flag, err)
	case err != nil:
		return nil, false, exit.Setup(fmt.Errorf("--%s: %w", flag, err))
	}
	return l, moved, nil
}

// address is the receiver's local URL without the path.
func (s *Session) address() string { return "http://" + s.listener.Addr().String() }

// URL is the receiver's local URL, "" if nothing is received.
func (s *Session) URL() string {
	if s.listener == nil {
		return ""
	}
	return s.address() + s.path
}

// notice adds a sentence to the status log.
func (s *Session) notice(text string) {
	s.status.Add(model.Status{At: time.Now(), Notice: text})
}

// tell says something about the program on screens, and in lines.
func (s *Session) tell(text string) {
	s.told().Add(model.Status{At: time.Now().UTC(), Notice: text})
}

// Close closes the listeners, the readers and the journal.
func (s *Session) Close() {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.ssh != nil {
		s.ssh.listener.Close()
	}
	if s.web != nil {
		s.web.listener.Close()
	}
	s.endRecording()
	for _, r := range s.readers {
		r.Close()
	}
	s.reader.Close()
	if s.journal != nil {
		s.journal.Close()
	}
}

// Run receives and shows until ctx ends, the user quits or a service returns. The
// output ends after the receiver, so that it includes the last deliveries.
func (s *Session) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	show, hide := context.WithCancel(context.WithoutCancel(ctx))
	defer hide()

	if debugging() {
		go s.logStatus(show)
	}
	defer context.AfterFunc(ctx, func() {
		if left := s.handlers.left(); left != "" {
			s.notice(left)
		}
	})()
	served := make(chan error, 1)
	go func() {
		err := s.serve(ctx)
		s.failed = err != nil
		served <- err
		hide()
	}()
	shown := make(chan error, 1)
	go func() { shown <- s.Show(show) }()
	var err error
	select {
	case err = <-shown:
		end()
		return errors.Join(err, <-served)
	case err = <-served:
	}
	select {
	case e := <-shown:
		return errors.Join(err, e)
	case <-time.After(lastWords):
		return errors.Join(err, errors.New("the last lines could not be written: the output is blocked"))
	}
}

// serve runs the receiver and the services until one of them returns or ctx ends.
func (s *Session) serve(ctx context.Context) error {
	services, ctx := errgroup.WithContext(ctx)
	if s.listener == nil {
		close(s.ready)
	} else {
		services.Go(func() error { return s.receive(ctx) })
	}
	for _, run := range s.beside {
		services.Go(func() error {
			select {
			case <-s.showing:
				return run(ctx)
			case <-ctx.Done():
				return nil
			}
		})
	}
	if err := services.Wait(); err != nil && !errors.Is(err, ErrDone) {
		return err
	}
	return nil
}

// receive accepts deliveries until ctx ends, with a reach also from the internet.
func (s *Session) receive(ctx context.Context) (err error) {
	config := receiver.Config{Path: s.path, Secrets: s.secrets, Journal: s.appender(), Status: s.status, Ready: s.journal.Ready}
	if s.metrics != nil {
		config.Journal = timed{config.Journal, s.metrics.appends}
	}
	if s.reach != nil {
		defer func() { err = errors.Join(err, s.reach.close()) }()
		more, err := s.reach.open(ctx, s, &config)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		config.Secrets = s.knownSecrets(more...)
	}
	server, err := receiver.New(config)
	if err != nil {
		return exit.Usage("%w", err)
	}
	if s.metrics != nil {
		s.metrics.server.Store(server)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	defer func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		// A client that takes longer is cut off; Svix tries again.
		if e := server.Shutdown(grace); !errors.Is(e, context.DeadlineExceeded) {
			err = errors.Join(err, e)
		}
	}()
	var refused chan error
	if s.reach != nil {
		refused = s.reach.refused
		if s.probe, err = s.reach.ready(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
		s.public = s.reach.tunnel.State().PublicURL
	}
	close(s.ready)
	select {
	case err := <-served:
		return err
	case err := <-refused:
		return err
	case <-ctx.Done():
		return nil
	}
}

// unlessEnded is err, unless it only says that ctx has ended. An endpoint that
// could not be deleted is reported in any case.
func unlessEnded(ctx context.Context, err error) error {
	left := errors.As(err, new(*aspect.LostAnswerError)) || errors.As(err, new(*aspect.CleanupError))
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) && !left {
		return nil
	}
	return err
}
