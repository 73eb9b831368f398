package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"aspectop/journal"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/receiver"
)

// drainTime is how long requests in flight may take at the end.
const drainTime = 2 * time.Second

// statusEntries is how many refusals and notices are held for slow readers.
const statusEntries = 1000

// session is one run of a command that receives and shows, or only shows.
type session struct {
	output  output
	filter  *model.Filter
	secrets []receiver.Secret
	path    string
	try     string // a command that makes a first event come
	// instead shows in place of the screen and the lines, if it is not nil.
	instead func(context.Context) error

	place    string           // of the journal
	journal  *journal.Journal // nil if another process writes it
	reader   *journal.Reader
	status   *model.StatusLog
	listener net.Listener // nil if nothing is received
	remarks  []string     // what is to be said at the start
}

// mode is how a session shows events.
type mode int

const (
	onScreen mode = iota
	asSentences
	asJSON
)

func (s *session) mode() mode {
	switch {
	case s.output.json:
		return asJSON
	case s.output.plain || !isTerminal():
		return asSentences
	}
	return onScreen
}

// listen takes the port. If another program has it, the next free one will do
// unless the user asked for just this one.
func (s *session) listen(address string, next bool) error {
	l, moved, err := receiver.Listen(address, next)
	if err != nil {
		return setupError(err)
	}
	s.listener = l
	if moved {
		s.remarks = append(s.remarks, fmt.Sprintf("%s is taken, receiving on %s instead", address, l.Addr()))
	}
	if receiver.Public(l.Addr().String()) {
		s.remarks = append(s.remarks, fmt.Sprintf("%s is open to the network", l.Addr()))
	}
	return nil
}

// url is where deliveries are taken, "" if they are not.
func (s *session) url() string {
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String() + s.path
}

// close gives back what openJournal and listen took.
func (s *session) close() {
	if s.listener != nil {
		s.listener.Close()
	}
	s.reader.Close()
	if s.journal != nil {
		s.journal.Close()
	}
}

// run receives and shows until ctx ends, the user quits, or beside returns,
// whichever is first. beside may be nil.
func (s *session) run(ctx context.Context, beside func(context.Context) error) error {
	s.status = model.NewStatusLog(statusEntries)
	server, err := receiver.New(receiver.Config{
		Path: s.path, Secrets: s.secrets, Journal: s.journal, Status: s.status,
	})
	if err != nil {
		return usageError("%w", err)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()

	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	aside := make(chan error, 1)
	if beside != nil {
		go func() {
			aside <- beside(ctx)
			end()
		}()
	}

	// What is shown outlasts the receiver, so that the last deliveries are
	// shown too.
	show, hide := context.WithCancel(context.WithoutCancel(ctx))
	defer hide()
	stopped := make(chan error, 1)
	go func() {
		select {
		case <-ctx.Done():
		case err := <-served:
			served <- err
		}
		end()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		stopped <- errors.Join(server.Shutdown(grace), <-served)
		hide()
	}()

	err = s.show(show)
	end()
	serveErr := <-stopped
	if beside != nil {
		err = errors.Join(err, <-aside)
	}
	if errors.Is(serveErr, context.DeadlineExceeded) {
		serveErr = nil // a client that took longer was cut off, as it was told
	}
	return errors.Join(err, serveErr)
}

// show draws the screen, or prints.
func (s *session) show(ctx context.Context) error {
	if s.instead != nil {
		return s.instead(ctx)
	}
	if s.mode() == onScreen {
		return s.screen(ctx)
	}
	for _, r := range s.remarks {
		fmt.Fprintln(os.Stderr, "aspectop: "+r)
	}
	format := printer.Plain
	if s.mode() == asJSON {
		format = printer.JSON
	}
	return printer.Run(ctx, printer.Options{
		Format: format, Out: os.Stdout, Journal: s.reader, Status: s.status,
		Filter: s.filter, Since: s.output.since.at, Now: time.Now,
		Ready: printer.Ready{URL: s.url(), Journal: s.place, PID: os.Getpid()},
	})
}
