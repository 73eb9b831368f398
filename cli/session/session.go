// Package session is one run of a command that receives and shows, or only shows.
//
//	Store     journal, feed, status log: opened first, closed last
//	reception receiver, secrets, tunnel, endpoint
//	sources   Aspect's API, the event stream
//	handlers  forwards, the command of --exec
//	sharing   SSH, the live page, the recording
//
// Every part is made from the Store. Run starts them, the feed first, and waits for
// all of them in the opposite order.
package session

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aspectop/model"
	"aspectop/private"
	"aspectop/receiver"
)

// outputTimeout is how long the end may wait for the output to be read.
const outputTimeout = 5 * time.Second

// Session is one run. Its parts are added by its methods before Run.
type Session struct {
	*Store
	reception
	sources
	handlers
	sharing

	Options
	instead  func(context.Context) error // see RunWith
	services []Service                   // run beside the receiver
	metrics  *metrics                    // nil without --metrics
	notify   bool

	listeners  Listeners      // all that were opened
	background sync.WaitGroup // what ends with the output
}

// Options configure a session.
type Options struct {
	Output   Output
	Filter   *model.Filter
	Secrets  []receiver.Secret // for verifying deliveries
	Path     string            // of the receiver
	Exposure *Exposure         // makes the receiver public; nil does not
	Source   string            // where the secrets come from
	Try      string            // a command that produces a first event, suggested on an empty screen
	Demo     bool              // the screen says so, and what to try
}

// New prepares a session on a store, which the caller closes after it.
func New(o Options, st *Store) *Session {
	s := &Session{
		Store: st, Options: o,
		reception: reception{
			path: o.Path, secrets: o.Secrets, exposure: o.Exposure,
			receiving: make(chan struct{}), ready: make(chan struct{}),
		},
		sources: sources{gap: func() {}},
	}
	s.warnOfShort(o.Secrets)
	return s
}

// Beside adds a service that runs beside the receiver, from when it accepts
// deliveries.
func (s *Session) Beside(run Service) { s.services = append(s.services, run) }

// OnScreen reports whether a screen is drawn on this terminal.
func (s *Session) OnScreen() bool { return s.mode() == onScreen }

// Watched reports whether anybody can see a screen or the live page.
func (s *Session) Watched() bool { return s.mode() == onScreen || len(s.servers) > 0 }

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

// Close closes the listeners and ends the recording, all that Run has not closed.
func (s *Session) Close() {
	s.listeners.Close()
	s.endRecording()
}

// Run receives and shows until ctx ends, the user quits or a service returns. The
// output ends after the receiver, so that it includes the last deliveries.
func (s *Session) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	stop, err := s.fold(ctx)
	if err != nil {
		return unlessEnded(ctx, err)
	}
	defer stop()
	show, hide := context.WithCancel(context.WithoutCancel(ctx))
	defer s.background.Wait()
	defer hide()

	s.background.Go(private.SweepTemps)
	if debugging() {
		s.background.Go(func() { s.logStatus(show) })
	}
	defer context.AfterFunc(ctx, func() {
		if left := s.left(); left != "" {
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
	go func() { shown <- s.show(show) }()
	select {
	case err = <-shown:
		end()
		err = errors.Join(err, <-served)
		s.tellOwed()
		return err
	case err = <-served:
	}
	select {
	case e := <-shown:
		s.tellOwed()
		return errors.Join(err, e)
	case <-time.After(outputTimeout):
		return errors.Join(err, errors.New("the last lines could not be written: the output is blocked"))
	}
}

// View shows a journal that another process writes, until ctx ends or the user quits.
func (s *Session) View(ctx context.Context) error {
	s.Beside(untilEnd(s.followRejected))
	return s.Run(ctx)
}

// serve runs the receiver and the services until one of them returns or ctx ends.
func (s *Session) serve(ctx context.Context) error {
	services, ctx := errgroup.WithContext(ctx)
	if s.listener == nil {
		close(s.receiving)
		close(s.ready)
	} else {
		services.Go(func() error { return s.receive(ctx) })
	}
	for _, run := range s.services {
		services.Go(func() error {
			select {
			case <-s.receiving:
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

// openToNetwork says that others than this machine reach the listener, "" if they do not.
func openToNetwork(l net.Listener) string {
	if address := l.Addr().String(); receiver.Public(address) {
		return address + " is open to the network"
	}
	return ""
}
