package session

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/model"
	"aspectop/receiver"
	"aspectop/sig"
)

// shutdownTime is how long requests in flight may take at the end.
const shutdownTime = 2 * time.Second

// reception is the receiver of a session and all that makes it reachable.
type reception struct {
	listener net.Listener // nil if nothing is received
	path     string
	exposure *Exposure // nil: not public

	mu      sync.Mutex
	secrets []receiver.Secret
	server  *receiver.Server // nil before it is made

	receiving chan struct{} // closed when deliveries are accepted, or nothing is received
	ready     chan struct{} // closed when it is known whether they can come from elsewhere
	public    string        // the public URL then
	probe     string        // the result of its probe then
	doubt     string        // why it may be unreachable nevertheless
	failed    bool          // serve returned an error
}

// Listen opens the port. If next is set and the port is in use, or one of the others, flags
// and their addresses, asks for it, it opens the next free one that none of them asks for.
func (s *Session) Listen(address string, next bool, others ...[2]string) error {
	l, moved, err := s.listeners.Open("listen", address, next)
	why := " is in use"
	for err == nil && next {
		i := slices.IndexFunc(others, func(other [2]string) bool { return has(l, other[1]) })
		if i < 0 {
			break
		}
		if !moved {
			why = " is the address of --" + others[i][0]
		}
		defer l.Close() // only when a further one was found
		l, moved, err = s.listeners.Open("listen", l.Addr().String(), true)
	}
	if err != nil {
		return err
	}
	s.listener = l
	if moved {
		s.Remark(fmt.Sprintf("%s%s, receiving on %s instead", address, why, l.Addr()))
	}
	if network := openToNetwork(l); network != "" {
		s.Remark(network)
	}
	return nil
}

// address is where the tunnel reaches the receiver, without the path.
func (r *reception) address() string { return "http://" + r.listener.Addr().String() }

// URL is the receiver's URL without a tunnel, "" if nothing is received.
func (r *reception) URL() string {
	if r.listener == nil {
		return ""
	}
	return "http://" + receiver.Reachable(r.listener.Addr()) + r.path
}

func (r *reception) knownSecrets() []receiver.Secret {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.secrets
}

// trust adds secrets, such as that of an endpoint registered for this run. They take the
// place of others with the same name, which the receiver goes on to accept.
func (r *reception) trust(more ...receiver.Secret) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, secret := range more {
		same := func(s receiver.Secret) bool { return s.Name == secret.Name }
		r.secrets = append(slices.DeleteFunc(slices.Clone(r.secrets), same), secret)
		if r.server != nil {
			r.server.Trust(secret)
		}
	}
}

func (r *reception) serveWith(c receiver.Config) (server *receiver.Server, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Secrets = r.secrets
	r.server, err = receiver.New(c)
	return r.server, err
}

// warnOfShort says at the start which secrets are shorter than those of Svix.
func (s *Session) warnOfShort(secrets []receiver.Secret) {
	for _, secret := range secrets {
		if warning := secret.Warning(); warning != "" {
			s.Remark(warning)
		}
	}
}

// resign returns a signer for the secret with the name, nil if it is unknown; for no
// name, which is that of a delivery of the event stream, the first secret signs.
func (r *reception) resign(name string) sig.Signer {
	for _, secret := range r.knownSecrets() {
		if name == "" || secret.Name == name {
			return secret.Sign
		}
	}
	return nil
}

// made is the receiver, nil before it is made.
func (r *reception) made() *receiver.Server {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.server
}

// notKept counts the rejected requests that the journal does not have.
func (r *reception) notKept() int64 {
	if server := r.made(); server != nil {
		return server.NotKept()
	}
	return 0
}

// receive accepts deliveries until ctx ends, with an exposure also from the internet.
func (s *Session) receive(ctx context.Context) (err error) {
	config := receiver.Config{Path: s.path, Journal: s.appender(), Status: s.status, Ready: s.journal.Ready, Keep: s.journal.SaveRejections}
	if s.besideStream != nil {
		config.Journal = s.besideStream(config.Journal)
	}
	if s.metrics != nil {
		config.Journal = observed{config.Journal, func(_ *model.Delivery, took time.Duration, _ error) {
			s.metrics.appends.Update(took.Seconds())
		}}
	}
	if s.exposure != nil {
		defer func() { err = errors.Join(err, s.exposure.close()) }()
		more, err := s.exposure.open(ctx, s, &config)
		if err != nil {
			return unlessEnded(ctx, err)
		}
		s.trust(more...)
	}
	server, err := s.serveWith(config)
	if err != nil {
		return exit.Usage("%w", err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(s.listener) }()
	close(s.receiving)
	defer func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
		defer cancel()
		// A client that takes longer is cut off; Svix tries again.
		if e := server.Shutdown(grace); !errors.Is(e, context.DeadlineExceeded) {
			err = errors.Join(err, e)
		}
	}()
	var refused chan error
	if s.exposure != nil {
		refused = s.exposure.refused
		if s.probe, err = s.exposure.ready(ctx); err != nil {
			return unlessEnded(ctx, err)
		}
		state := s.exposure.tunnel.State()
		s.public, s.doubt = state.PublicURL, state.Doubt
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
