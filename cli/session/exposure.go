package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/model"
	"aspectop/private"
	"aspectop/receiver"
	"aspectop/tunnel"
)

// ExposureFlags configure the tunnel and the registration of an endpoint.
type ExposureFlags struct {
	tunnel        string
	Cloudflared   string // the program's path, "" for the first on PATH
	tokenFile     string
	tunnelTimeout settings.Duration
	PublicURL     string
	probe         string

	Register, NoRegister bool
	keepEndpoint         bool
	secretOut            string

	set *pflag.FlagSet
}

// Flags adds the flags.
func (f *ExposureFlags) Flags(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.tunnel, "tunnel", string(tunnel.Off), "tunnel that makes the receiver public: "+strings.Join(tunnel.Modes(), ", "))
	set.Lookup("tunnel").NoOptDefVal = string(tunnel.Cloudflared)
	settings.PathVar(set, &f.Cloudflared, "cloudflared", "path of cloudflared (default: found on PATH)", settings.IsProgram)
	settings.PathVar(set, &f.tokenFile, "tunnel-token-file", "file with the token of a named tunnel (or set TUNNEL_TOKEN); needs --public-url", nil)
	set.Var(&f.tunnelTimeout, "tunnel-timeout", "fail if the tunnel is not ready after this time (default: keep trying)")
	set.StringVar(&f.PublicURL, "public-url", "", "public URL of your own tunnel")
	set.StringVar(&f.probe, "probe", string(tunnel.ProbeOn), "when to test the public URL: "+strings.Join(tunnel.Probings(), ", "))
	set.Lookup("probe").NoOptDefVal = string(tunnel.ProbeOn)
	set.BoolVar(&f.Register, "register", false, "register an endpoint even if a secret is set")
	set.BoolVar(&f.NoRegister, "no-register", false, "never register an endpoint")
	set.BoolVar(&f.keepEndpoint, "keep-endpoint", false, "keep the registered endpoint for the next run")
	settings.PathVar(set, &f.secretOut, "secret-out", "write the registered endpoint's secret to this file, for your handler", nil)
}

// Check validates the flags.
func (f *ExposureFlags) Check() error {
	if !slices.Contains(tunnel.Modes(), f.tunnel) {
		return exit.Usage("unknown --tunnel=%s: must be one of %s", f.tunnel, strings.Join(tunnel.Modes(), ", "))
	}
	if !slices.Contains(tunnel.Probings(), f.probe) {
		return exit.Usage("unknown --probe=%s: must be one of %s", f.probe, strings.Join(tunnel.Probings(), ", "))
	}
	if f.Register && f.NoRegister && !settings.Overrides(f.set, "register", "no-register") {
		return exit.Usage("--register and --no-register cannot be used together")
	}
	if f.tunnel == string(tunnel.SvixRelay) && f.PublicURL != "" && !settings.Overrides(f.set, "tunnel", "public-url") {
		return exit.Usage("--tunnel=svix has its own URL; omit --public-url")
	}
	if f.PublicURL != "" {
		if err := tunnel.CheckPublicURL(f.PublicURL); err != nil {
			return exit.Usage("--public-url: %w", err)
		}
	}
	return nil
}

// RegisterWaits has --register wait for a key and a public URL, unless it is on the
// command line.
func (f *ExposureFlags) RegisterWaits() {
	if f.Register {
		settings.Waits(f.set, "register")
	}
}

// CheckSecretOut refuses --secret-out in a run that registers no endpoint.
func (f *ExposureFlags) CheckSecretOut(registers bool) error {
	if f.secretOut != "" && !registers && !settings.Waits(f.set, "secret-out") {
		return exit.Usage("--secret-out writes the secret of an endpoint that watch registers, and watch registers none if a secret is set or there is neither --tunnel nor --public-url; add --register, or omit --secret-out")
	}
	return nil
}

func (f *ExposureFlags) UsesCloudflared() bool { return f.tunnel == string(tunnel.Cloudflared) }

// Reachable reports whether there is a tunnel or public URL.
func (f *ExposureFlags) Reachable() bool { return f.tunnel != string(tunnel.Off) || f.PublicURL != "" }

// Exposure is what makes a receiver public according to the flags, nil if nothing does.
// With a client it also registers an endpoint while the session runs.
func (f *ExposureFlags) Exposure(client *aspect.Client) (*Exposure, error) {
	if !f.Reachable() {
		return nil, nil
	}
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	state, err := settings.StateDir()
	if err != nil {
		return nil, exit.Setup(err)
	}
	mode := tunnel.Mode(f.tunnel)
	if mode == tunnel.Off {
		mode = tunnel.OwnURL
	}
	e := &Exposure{
		options: tunnel.Options{
			Mode: mode, PublicURL: f.PublicURL, Program: f.Cloudflared, Token: token, StateDir: state,
			Probing: tunnel.Probing(f.probe), ReadyWait: time.Duration(f.tunnelTimeout),
		},
		timeout: time.Duration(f.tunnelTimeout), keep: f.keepEndpoint, secretOut: f.secretOut,
	}
	if client != nil {
		e.leases = aspect.NewLeases(client, state)
	}
	return e, nil
}

// token is the token of a named tunnel, "" for a quick tunnel.
func (f *ExposureFlags) token() (string, error) {
	if f.tunnel != string(tunnel.Cloudflared) {
		return "", nil
	}
	token := os.Getenv("TUNNEL_TOKEN")
	if f.tokenFile != "" && (f.PublicURL != "" || !settings.Waits(f.set, "tunnel-token-file")) {
		b, err := os.ReadFile(f.tokenFile)
		if err != nil {
			return "", exit.Usage("--tunnel-token-file: %w", err)
		}
		token = strings.TrimSpace(clean.Text(string(b)))
	}
	switch {
	case token != "" && f.PublicURL == "":
		return "", exit.Usage("a named tunnel (TUNNEL_TOKEN or --tunnel-token-file) needs --public-url, its address at Cloudflare")
	case token == "" && f.PublicURL != "" && !settings.Overrides(f.set, "tunnel", "public-url"):
		return "", exit.Usage("--tunnel with --public-url is a named tunnel, which needs TUNNEL_TOKEN or --tunnel-token-file; for your own tunnel, omit --tunnel")
	}
	return token, nil
}

// releaseTime limits the deletion of the endpoint on exit.
const releaseTime = 10 * time.Second

// slowRelease is how long the deletion may take without a word.
const slowRelease = 500 * time.Millisecond

// firstRetry is the pause before an endpoint that could not be pointed to a new URL is
// tried again; it doubles up to maxRetry.
const (
	firstRetry = 10 * time.Second
	maxRetry   = 5 * time.Minute
)

// Exposure makes a session's receiver public: a tunnel and, with leases, an
// endpoint at Aspect that points to it.
type Exposure struct {
	options   tunnel.Options
	timeout   time.Duration  // until the tunnel is ready; 0: forever
	leases    *aspect.Leases // nil: register no endpoint
	keep      bool           // keep the endpoint for the next run
	secretOut string         // file for the endpoint's secret
	retry     time.Duration  // in place of firstRetry, 0 for that

	tunnel    *tunnel.Tunnel
	refused   chan error  // retrying is useless
	addresses chan string // public URLs, as they change

	mu       sync.Mutex
	endpoint *aspect.Lease

	running sync.WaitGroup // what open has started
	end     context.CancelFunc
}

// open starts the tunnel and, with leases, registers the endpoint, whose secret it
// returns.
func (e *Exposure) open(ctx context.Context, s *Session, config *receiver.Config) ([]receiver.Secret, error) {
	prober := tunnel.NewProber(receiver.NewSecret("probe").Sign, receiver.Reachable(s.listener.Addr()), s.path)
	config.Probed, config.Foreign = prober.Saw, prober.Foreign

	e.refused, e.addresses = make(chan error, 1), make(chan string, 1)
	e.options.Local, e.options.Path = s.address(), s.path
	e.options.Prober = prober
	known, lost := "", false
	e.options.Report = func(t model.Tunnel) {
		s.status.Add(model.Status{At: time.Now(), Tunnel: &t})
		if (t.State == model.TunnelConnected || t.State == model.TunnelUnchecked) && lost {
			s.gap()
		}
		lost = t.State == model.TunnelReconnecting
		if t.PublicURL == "" || t.PublicURL == known {
			return
		}
		known = t.PublicURL
		select { // keep only the newest
		case <-e.addresses:
		default:
		}
		e.addresses <- known
	}
	t, err := tunnel.Start(context.WithoutCancel(ctx), e.options)
	if err != nil {
		return nil, exit.Setup(err)
	}
	e.tunnel = t
	config.Journal = observed{config.Journal, func(_ *model.Delivery, _ time.Duration, err error) {
		if err == nil {
			t.Delivered()
		}
	}}
	ctx, e.end = context.WithCancel(ctx)
	if notice := t.Notice(); notice != "" {
		s.notice(notice)
	}
	e.running.Go(func() {
		if err := t.Ready(ctx, 24*time.Hour); errors.Is(err, tunnel.ErrRefused) {
			e.refused <- exit.Setup(err)
		}
	})
	if e.leases == nil {
		return nil, nil
	}
	url, err := e.address(ctx)
	if err != nil {
		return nil, err
	}
	if err := e.takeTurn(ctx, s); err != nil {
		return nil, err
	}
	secret, err := e.register(ctx, s, url)
	switch {
	case err != nil && ctx.Err() != nil: // the set-up did not fail: it was ended
		return nil, err
	case err != nil:
		return nil, exit.Setup(err)
	}
	e.running.Go(func() { e.follow(ctx, s) })
	return []receiver.Secret{secret}, nil
}

// takeTurn waits until this process may register an endpoint, and keeps that
// right until ctx ends. Of the processes on a journal only one may: the others
// would not know the secret.
func (e *Exposure) takeTurn(ctx context.Context, s *Session) error {
	turn, ended := make(chan struct{}), make(chan error, 1)
	var once sync.Once
	e.running.Go(func() {
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
func (e *Exposure) address(ctx context.Context) (string, error) {
	var late <-chan time.Time
	if e.timeout > 0 {
		late = time.After(e.timeout)
	}
	select {
	case url := <-e.addresses:
		return url, nil
	case err := <-e.refused:
		return "", err
	case <-late:
		return "", exit.Setup(fmt.Errorf("the tunnel is not ready after %s: %s", e.timeout, e.tunnel.State().Detail))
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// register reuses an endpoint of an earlier run, or creates one.
func (e *Exposure) register(ctx context.Context, s *Session, url string) (receiver.Secret, error) {
	endpoint, err := recoverEndpoints(ctx, s, e.leases, url)
	if err != nil {
		return receiver.Secret{}, err
	}
	if endpoint == nil {
		exit.Leave("a webhook endpoint for " + url + " is being created and may be left behind; the next run says how to find it")
		endpoint, err = e.leases.Register(ctx, url)
		exit.Leave("")
		if err != nil {
			return receiver.Secret{}, err
		}
		s.notice("registered webhook endpoint " + endpoint.EndpointID)
		if endpoint.Unlike != "" {
			s.notice("webhook endpoint " + endpoint.EndpointID + ": " + endpoint.Unlike)
		}
	}
	e.mu.Lock()
	e.endpoint = endpoint
	e.mu.Unlock()
	e.mayLeave(endpoint)
	if e.secretOut != "" {
		if err := private.Replace(e.secretOut, filepath.Join(filepath.Dir(e.secretOut), ".aspectop-secret"), []byte(endpoint.Secret.Reveal()+"\n")); err != nil {
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
func (e *Exposure) mayLeave(endpoint *aspect.Lease) {
	if !e.keep {
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

// follow updates the endpoint when the public URL changes, and tries again while that fails.
func (e *Exposure) follow(ctx context.Context, s *Session) {
	var again <-chan time.Time
	var url, said string
	gone, pause := false, time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case url = <-e.addresses:
			said, pause = "", cmp.Or(e.retry, firstRetry)
		case <-again:
		}
		again = nil
		endpoint := e.registered()
		if endpoint.URL() == url && !gone {
			continue
		}
		var err error
		if !gone {
			told := fmt.Sprintf("the public URL changed; endpoint %s now points to it", endpoint.EndpointID)
			var notice string
			if notice, err = endpoint.Repoint(ctx, url); notice != "" {
				told += ": " + notice
			}
			if gone = errors.Is(err, aspect.ErrNotFound); err != nil {
				told = fmt.Sprintf("the public URL changed, but endpoint %s could not be updated: %v", endpoint.EndpointID, err)
			} else {
				e.mayLeave(endpoint)
			}
			if told != said {
				s.notice(told)
			}
			said = told
		}
		if gone {
			var secret receiver.Secret
			if secret, err = e.register(ctx, s, url); err == nil {
				gone = false
				s.trust(secret)
				s.notice("its deliveries are signed with another secret: " + cmp.Or(e.secretOut, "a handler") + " needs it, so restart whatever verifies them")
			} else if said != err.Error() {
				said = err.Error()
				s.notice(said)
			}
		}
		if err != nil {
			again, pause = time.After(pause), min(2*pause, maxRetry)
		}
	}
}

// state describes the registered endpoint, "" if there is none.
func (e *Exposure) state() string {
	endpoint := e.registered()
	switch {
	case endpoint != nil:
		return "endpoint " + endpoint.EndpointID
	case e.leases != nil:
		return "registering an endpoint"
	}
	return ""
}

func (e *Exposure) registered() *aspect.Lease {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.endpoint
}

// patience is how long to wait for the tunnel.
func (e *Exposure) patience() time.Duration { return cmp.Or(e.timeout, tunnel.ReadyWait) }

// ready waits for the probe and describes its result, "" if none is sent.
func (e *Exposure) ready(ctx context.Context) (probe string, err error) {
	err = e.tunnel.Ready(ctx, e.patience())
	switch {
	case err == nil && e.options.Probing == tunnel.ProbeOff:
		return "", nil
	case err == nil:
		return "ok", nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.Is(err, tunnel.ErrRefused):
		return "", exit.Setup(err)
	case e.timeout > 0:
		return "", exit.Setup(fmt.Errorf("--tunnel-timeout: %w", err))
	}
	return "failed: " + err.Error(), nil
}

// close stops the tunnel and deletes the endpoint. The receiver must have stopped.
func (e *Exposure) close() error {
	if e.tunnel == nil {
		return nil
	}
	e.tunnel.Stop()
	e.end()
	e.running.Wait()
	endpoint := e.registered()
	if endpoint == nil {
		return nil
	}
	name := clean.Text(endpoint.EndpointID)
	if e.keep {
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
