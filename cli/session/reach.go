package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/model"
	"aspectop/private"
	"aspectop/receiver"
	"aspectop/tunnel"
)

// releaseTime limits the deletion of the endpoint on exit.
const releaseTime = 10 * time.Second

// slowRelease is how long the deletion may take without a word.
const slowRelease = 500 * time.Millisecond

// Reach makes a session's receiver public: a tunnel and, with a leases, an
// endpoint at Aspect that points to it.
type Reach struct {
	options   tunnel.Options
	timeout   time.Duration  // until the tunnel is ready; 0: forever
	leases    *aspect.Leases // nil: register no endpoint
	keep      bool           // keep the endpoint for the next run
	secretOut string         // file for the endpoint's secret

	tunnel    *tunnel.Tunnel
	refused   chan error  // retrying is useless
	addresses chan string // public URLs, as they change

	mu       sync.Mutex
	endpoint *aspect.Lease

	running sync.WaitGroup // what open started; close waits for it
}

// open starts the tunnel and, with a leases, registers the endpoint. It returns
// the endpoint's secret, if any.
func (r *Reach) open(ctx context.Context, s *Session, config *receiver.Config) ([]receiver.Secret, error) {
	key := receiver.NewSecret("probe")
	prober := tunnel.NewProber(key.Sign)
	config.Probe, config.Probed = key, prober.Saw

	r.refused, r.addresses = make(chan error, 1), make(chan string, 1)
	r.options.Local, r.options.Path = s.address(), s.path
	r.options.Prober = prober
	var (
		known string
		lost  bool
	)
	r.options.Report = func(t model.Tunnel) {
		s.status.Add(model.Status{At: time.Now(), Tunnel: &t})
		if t.State == model.TunnelConnected && lost {
			s.gap()
		}
		lost = t.State == model.TunnelReconnecting
		if t.PublicURL == "" || t.PublicURL == known {
			return
		}
		known = t.PublicURL
		select { // keep only the newest
		case <-r.addresses:
		default:
		}
		r.addresses <- known
	}
	t, err := tunnel.Start(context.WithoutCancel(ctx), r.options)
	if err != nil {
		return nil, exit.Setup(err)
	}
	r.tunnel = t
	if notice := t.Notice(); notice != "" {
		s.notice(notice)
	}
	r.running.Go(func() {
		if err := t.Ready(ctx, 24*time.Hour); errors.Is(err, tunnel.ErrRefused) {
			r.refused <- exit.Setup(err)
		}
	})
	if r.leases == nil {
		return nil, nil
	}
	url, err := r.address(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.takeTurn(ctx, s); err != nil {
		return nil, err
	}
	secret, err := r.register(ctx, s, url)
	switch {
	case err != nil && ctx.Err() != nil: // the set-up did not fail: it was ended
		return nil, err
	case err != nil:
		return nil, exit.Setup(err)
	}
	r.running.Go(func() { r.follow(ctx, s) })
	return []receiver.Secret{secret}, nil
}

// takeTurn waits until this process may register an endpoint, and keeps that
// right until ctx ends. Of the processes on a journal only one may: the others
// would not know the secret.
func (r *Reach) takeTurn(ctx context.Context, s *Session) error {
	turn, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	r.running.Go(func() {
		ended <- s.withLease(ctx, "registering the endpoint", func(ctx context.Context) error {
			once.Do(func() { close(turn) })
			<-ctx.Done()
			return ctx.Err()
		})
	})
	select {
	case <-turn:
		return nil
	case err := <-ended:
		return errors.Join(err, ctx.Err())
	}
}

// address waits for the first public URL.
func (r *Reach) address(ctx context.Context) (string, error) {
	var late <-chan time.Time
	if r.timeout > 0 {
		late = time.After(r.timeout)
	}
	select {
	case url := <-r.addresses:
		return url, nil
	case err := <-r.refused:
		return "", err
	case <-late:
		return "", exit.Setup(fmt.Errorf("the tunnel is not ready after %s: %s", r.timeout, r.tunnel.State().Detail))
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// register reuses an endpoint of an earlier run, or creates one.
func (r *Reach) register(ctx context.Context, s *Session, url string) (receiver.Secret, error) {
	endpoint, err := recoverEndpoints(ctx, s, r.leases, url)
	if err != nil {
		return receiver.Secret{}, err
	}
	if endpoint == nil {
		exit.Leave("a webhook endpoint for " + url + " is being created and may be left behind; the next run says how to find it")
		endpoint, err = r.leases.Register(ctx, url)
		exit.Leave("")
		if err != nil {
			return receiver.Secret{}, err
		}
		s.notice("registered webhook endpoint " + endpoint.EndpointID)
		if endpoint.Unlike != "" {
			s.notice("webhook endpoint " + endpoint.EndpointID + ": " + endpoint.Unlike)
		}
	}
	r.mu.Lock()
	r.endpoint = endpoint
	r.mu.Unlock()
	r.mayLeave(endpoint)
	if r.secretOut != "" {
		if err := private.Replace(r.secretOut, filepath.Join(filepath.Dir(r.secretOut), ".aspectop-secret"), []byte(endpoint.Secret.Reveal()+"\n")); err != nil {
			return receiver.Secret{}, fmt.Errorf("--secret-out: %w", err)
		}
	}
	secrets, err := receiver.ParseSecrets("registered=" + endpoint.Secret.Reveal())
	if err != nil {
		return receiver.Secret{}, fmt.Errorf("the secret that Aspect returned for %s is invalid: %w", clean.Text(endpoint.EndpointID), err)
	}
	return secrets[0], nil
}

// mayLeave has a second ctrl+c say that the endpoint is left behind, unless it is kept.
func (r *Reach) mayLeave(endpoint *aspect.Lease) {
	if !r.keep {
		exit.Leave(endpoint.Left().Error())
	}
}

// recoverEndpoints deletes the endpoints of earlier runs, or with a URL reuses one
// of them, and reports what it did.
func recoverEndpoints(ctx context.Context, s *Session, r *aspect.Leases, url string) (*aspect.Lease, error) {
	found, err := r.Recover(ctx, url)
	if err != nil {
		return nil, err
	}
	for _, f := range found.Orphans {
		s.notice(f.String())
	}
	return found.Lease, found.Shown()
}

// follow updates the endpoint when the public URL changes.
func (r *Reach) follow(ctx context.Context, s *Session) {
	for {
		select {
		case <-ctx.Done():
			return
		case url := <-r.addresses:
			endpoint := r.registered()
			if endpoint.URL() == url {
				continue
			}
			if err := endpoint.Repoint(ctx, url); err != nil && ctx.Err() == nil {
				s.notice(fmt.Sprintf("the public URL changed, but endpoint %s could not be updated: %v", endpoint.EndpointID, err))
				continue
			}
			r.mayLeave(endpoint)
			s.notice(fmt.Sprintf("the public URL changed; endpoint %s now points to it", endpoint.EndpointID))
		}
	}
}

// state describes the registered endpoint, "" if there is none.
func (r *Reach) state() string {
	endpoint := r.registered()
	switch {
	case endpoint != nil:
		return "endpoint " + endpoint.EndpointID
	case r.leases != nil:
		return "registering an endpoint"
	}
	return ""
}

func (r *Reach) registered() *aspect.Lease {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.endpoint
}

// ready waits for the probe and describes its result.
func (r *Reach) ready(ctx context.Context) (probe string, err error) {
	wait := tunnel.ReadyWait
	if r.timeout > 0 {
		wait = r.timeout
	}
	err = r.tunnel.Ready(ctx, wait)
	switch {
	case err == nil:
		return "ok", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, tunnel.ErrRefused):
		return "", exit.Setup(err)
	case r.timeout > 0:
		return "", exit.Setup(fmt.Errorf("--tunnel-timeout: %w", err))
	}
	return "failed: " + err.Error(), nil
}

// close stops the tunnel and deletes the endpoint. The receiver must have stopped.
func (r *Reach) close() error {
	if r.tunnel != nil {
		r.tunnel.Stop()
	}
	endpoint := r.registered()
	if endpoint == nil {
		return nil
	}
	name := clean.Text(endpoint.EndpointID)
	if r.keep {
		fmt.Fprintf(os.Stderr, "aspectop: kept webhook endpoint %s; the next run with --keep-endpoint will reuse it\n", name)
		return endpoint.Keep()
	}
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	slow := time.AfterFunc(slowRelease, func() {
		fmt.Fprintf(os.Stderr, "aspectop: deleting webhook endpoint %s; a second ctrl+c would leave it behind\n", name)
	})
	defer slow.Stop()
	defer exit.Leave("") // the error says it
	outcome, err := endpoint.Release(ctx)
	switch {
	case err != nil:
		return err
	case outcome == aspect.Gone:
		fmt.Fprintf(os.Stderr, "aspectop: webhook endpoint %s had already been deleted\n", name)
	default:
		fmt.Fprintf(os.Stderr, "aspectop: deleted webhook endpoint %s and its pending retries\n", name)
	}
	return nil
}
