package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"aspectop/aspect"
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

// session is one run of a command that receives and shows, or only shows.
type session struct {
	output  output
	filter  *model.Filter
	secrets []receiver.Secret
	path    string
	try     string // a command that makes a first event come
	// instead shows in place of the screen and the lines, if it is not nil.
	instead func(context.Context) error

	place    string          // of the journal, for people
	home     home            // of a journal that another process writes
	journal  journal.Journal // nil if another process writes it
	reader   journal.Reader
	readers  []journal.Reader // further ones
	status   *model.StatusLog
	viewing  *model.StatusLog // of viewers, where status is nil
	ssh      *sshServer       // nil: nobody watches from elsewhere
	listener net.Listener     // nil if nothing is received
	reach    *reach           // nil: reachable from this machine only
	beside   []service        // what runs beside the receiver
	remarks  []string         // what is to be said at the start
	metrics  *metrics         // nil: nobody asks for any

	client   *aspect.Client // nil without a key
	names    *source.Names  // likewise
	handlers handlers
	gap      func() // says that deliveries may have been missed
	notify   bool

	mu      sync.Mutex // guards secrets and sources
	sources map[model.Source]source.Report

	ready   chan struct{} // closed when deliveries are accepted
	public  string        // the public URL then
	probe   string        // and how its probe went
	failed  bool          // the receiver and what is beside it ended with an error
	showing chan struct{} // closed when what comes from now on will be shown
}

func newSession(o output, filter *model.Filter) *session {
	go private.SweepTemps()
	return &session{
		output: o, filter: filter, status: model.NewStatusLog(statusEntries), gap: func() {},
		ready: make(chan struct{}), showing: make(chan struct{}),
	}
}

// service runs until ctx ends. If it returns before, the session ends, with its
// error; errDone ends it well.
type service func(ctx context.Context) error

var errDone = errors.New("done")

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

// address is the receiver's own, without a path.
func (s *session) address() string { return "http://" + s.listener.Addr().String() }

// url is where deliveries are taken, "" if they are not.
func (s *session) url() string {
	if s.listener == nil {
		return ""
	}
	return s.address() + s.path
}

// notice puts a sentence about the program on the status log.
func (s *session) notice(text string) {
	s.status.Add(model.Status{At: time.Now(), Notice: text})
}

// close gives back what openJournal and listen took.
func (s *session) close() {
	if s.listener != nil {
		s.listener.Close()
	}
	if s.ssh != nil {
		s.ssh.listener.Close()
	}
	for _, r := range s.readers {
		r.Close()
	}
	s.reader.Close()
	if s.journal != nil {
		s.journal.Close()
	}
}

// run receives and shows until ctx ends, the user quits, or a service returns,
// whichever is first. What is shown outlasts the receiver, so that the last
// deliveries are shown too.
func (s *session) run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	show, hide := context.WithCancel(context.WithoutCancel(ctx))
	defer hide()

	served := make(chan error, 1)
	go func() {
		err := s.serve(ctx)
		s.failed = err != nil
		served <- err
		hide()
	}()
	shown := make(chan error, 1)
	go func() { shown <- s.show(show) }()
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
		return errors.Join(err, errors.New("the last lines could not be written: nobody reads the output"))
	}
}

// serve runs the receiver and what is beside it, until one of them or ctx ends.
func (s *session) serve(ctx context.Context) error {
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
	if err := services.Wait(); err != nil && !errors.Is(err, errDone) {
		return err
	}
	return nil
}

// receive accepts deliveries until ctx ends, on this machine and, with a reach,
// from outside.
func (s *session) receive(ctx context.Context) (err error) {
	config := receiver.Config{Path: s.path, Secrets: s.secrets, Journal: s.journal, Status: s.status, Ready: s.journal.Ready}
	if s.metrics != nil {
		config.Journal = timed{s.journal, s.metrics.appends}
	}
	if s.reach != nil {
		defer func() { err = errors.Join(err, s.reach.close()) }()
		more, err := s.reach.open(ctx, s, &config)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		s.mu.Lock()
		s.secrets = append(s.secrets, more...)
		config.Secrets = s.secrets
		s.mu.Unlock()
	}
	server, err := receiver.New(config)
	if err != nil {
		return usageError("%w", err)
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

// unlessEnded is err, unless it only says that ctx has ended. What was left
// behind at Aspect is said in any case.
func unlessEnded(ctx context.Context, err error) error {
	left := errors.As(err, new(*aspect.LostAnswerError)) || errors.As(err, new(*aspect.CleanupError))
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) && !left {
		return nil
	}
	return err
}
