// Package tunnel makes the receiver reachable from the internet and measures whether it
// is. There are three providers: cloudflared as a child process, Svix's relay over a
// websocket, and a tunnel of the user's own. The only proof is a signed request of our
// own that arrives through the public URL; see [Prober]. The package registers the
// public URL nowhere; [Options.Report] reports when it changes.
package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/model"
)

// Mode is a kind of tunnel, and the Kind of a [model.Tunnel].
type Mode string

const (
	Off         Mode = "off"         // none
	Cloudflared Mode = "cloudflared" // a quick tunnel or, with a token, a named one
	SvixRelay   Mode = "svix"        // the relay behind Svix Play
	OwnURL      Mode = "url"         // a tunnel of the user's own
)

// ReadyWait is how long to wait for [Tunnel.Ready] before continuing without.
const ReadyWait = 30 * time.Second

// ErrRefused means that the tunnel's program rejects its flags, so retrying is useless.
var ErrRefused = errors.New("refused")

// Options configure a tunnel. Local, Path, Prober and Report are required.
type Options struct {
	Mode      Mode
	Local     string  // the receiver's URL without a path: http://127.0.0.1:8787
	Path      string  // the receiver's, escaped as in a URL; nothing else is exposed
	PublicURL string  // of OwnURL or a named tunnel; without a path, Path is appended
	Program   string  // cloudflared's name or path; "" searches PATH
	Token     string  // of a named tunnel; passed only in the child's environment
	StateDir  string  // where SvixRelay keeps its token, and so its URL; created if missing
	Prober    *Prober // the receiver must call its Saw
	Probing   Probing
	ReadyWait time.Duration // for [Tunnel.Ready], and how long ProbeStart tries; 0 is ReadyWait
	// Report is called with every change, never concurrently. A probe counts as a
	// change if it is the first of a connection or its result differs.
	Report func(model.Tunnel)
	Now    func() time.Time // the wall clock; nil is time.Now
}

// Probing is when probes are sent.
type Probing string

const (
	ProbeOn    Probing = "on"    // always; also ""
	ProbeStart Probing = "start" // at the start and after changes, until one comes through or ReadyWait has passed
	ProbeOff   Probing = "off"   // never
)

// Probings are the values of --probe.
func Probings() []string { return []string{string(ProbeOn), string(ProbeStart), string(ProbeOff)} }

type linkStatus struct {
	state      model.TunnelState
	url        string
	detail     string
	nextTry    time.Time
	settle     time.Duration // before resolving a new name in url: resolvers cache a negative answer
	unmeasured bool          // the provider does not know the state, so the probe decides
	refused    bool          // retrying is useless
}

// provider keeps a tunnel open until ctx ends, then closes it and returns. It reports
// every change. A message on wake means that the machine may have slept.
type provider func(ctx context.Context, wake <-chan struct{}, report func(linkStatus))

// rest waits until d has passed, ctx ends or the machine wakes.
func rest(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// Tunnel is a tunnel to the receiver. Its methods are safe for concurrent use.
type Tunnel struct {
	o        Options
	notice   string
	provider provider
	cancel   context.CancelFunc
	done     chan struct{}

	broken    atomic.Bool   // the newest probe failed
	delivered chan struct{} // see Delivered

	mu        sync.Mutex
	published model.Tunnel
	missing   string // why the newest probe failed, even if it does not count yet
	refused   bool
	changed   broadcast.Signal
}

// Start returns without waiting. The tunnel ends with ctx or [Tunnel.Stop]. An error is
// for the user to fix: a missing program or an invalid option.
func Start(ctx context.Context, o Options) (*Tunnel, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.ReadyWait = cmp.Or(o.ReadyWait, ReadyWait)
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.mode == o.Mode })
	if i < 0 {
		return nil, fmt.Errorf("unknown tunnel %q", o.Mode)
	}
	p, err := kinds[i].open(o)
	if err != nil {
		return nil, err
	}
	return launch(ctx, o, p, cmp.Or(kinds[i].notice, o.unreachable())), nil
}

type kind struct {
	mode   Mode
	named  bool   // a value of --tunnel
	notice string // who else can read what passes; "" is nobody
	open   func(Options) (provider, error)
}

// kinds also determine the values of --tunnel.
var kinds = []kind{
	{Cloudflared, true, cloudflaredNotice, func(o Options) (provider, error) { c, err := newCloudflared(o); return c.run, err }},
	{SvixRelay, true, relayNotice, func(o Options) (provider, error) { r, err := newRelay(o); return r.run, err }},
	{OwnURL, false, "", newOwnURL},
}

// Modes are the values of --tunnel: Off, then the kinds that are started by name.
func Modes() []string {
	modes := []string{string(Off)}
	for _, k := range kinds {
		if k.named {
			modes = append(modes, string(k.mode))
		}
	}
	return modes
}

func launch(ctx context.Context, o Options, p provider, notice string) *Tunnel {
	// What Svix Play makes of an answer is its own affair.
	o.Prober.anyStatus = o.Mode == SvixRelay
	ctx, cancel := context.WithCancel(ctx)
	t := &Tunnel{
		o: o, notice: notice, provider: p, cancel: cancel,
		done:      make(chan struct{}),
		delivered: make(chan struct{}, 1),
		published: model.Tunnel{Kind: string(o.Mode), State: model.TunnelStarting},
	}
	go t.run(ctx)
	return t
}

// State includes the newest probe.
func (t *Tunnel) State() model.Tunnel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.published
}

// Notice is for the user: who else can read what passes through this tunnel, or that Svix
// cannot reach it. May be "".
func (t *Tunnel) Notice() string { return t.notice }

// Ready waits until a probe succeeds or, with ProbeOff, there is a public URL, for at most atMost. Its error says what is
// missing; the tunnel keeps trying unless the error is [ErrRefused].
func (t *Tunnel) Ready(ctx context.Context, atMost time.Duration) error {
	limit := time.NewTimer(atMost)
	defer limit.Stop()
	for {
		t.mu.Lock()
		now, missing, refused, changed := t.published, t.missing, t.refused, t.changed.Next()
		t.mu.Unlock()
		switch {
		case refused:
			return fmt.Errorf("%s: %w", now.Detail, ErrRefused)
		case now.State == model.TunnelConnected && now.Probe != nil && now.Probe.OK, now.State == model.TunnelUnchecked:
			return nil
		}
		select {
		case <-changed:
		case <-t.done:
			return errors.New("the tunnel was stopped")
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			switch {
			case now.State != model.TunnelConnected && missing == "":
				return fmt.Errorf("not connected after %s: %s", atMost, now.Detail)
			case now.PublicURL == "":
				return fmt.Errorf("no public URL after %s: %s", atMost, now.Detail)
			case missing == "":
				return fmt.Errorf("the probe did not return within %s", atMost)
			}
			return errors.New(missing)
		}
	}
}

// Stop waits until the tunnel is closed and no child is left: up to five seconds if
// cloudflared still serves requests. Stop the receiver first, so that its last answers
// get through.
func (t *Tunnel) Stop() {
	t.cancel()
	<-t.done
}

// CheckPublicURL validates a public URL given by the user.
func CheckPublicURL(text string) error {
	_, err := webhookURL(text, "/")
	return err
}

// webhookURL validates a URL given by the user and appends path if it has none.
func webhookURL(text, path string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", errors.New("no public URL: set --public-url https://…")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is not a public URL: it must look like https://example.com/webhooks", clean.URL(text))
	case u.User != nil:
		return "", errors.New("the public URL must not contain a user name or password, because it is displayed")
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("the public URL %q must not have a query or a fragment", clean.URL(text))
	}
	if u.Path == "" || u.Path == "/" {
		return u.Scheme + "://" + u.Host + path, nil
	}
	return text, nil
}

// newOwnURL is the provider of a tunnel that the user runs.
func newOwnURL(o Options) (provider, error) {
	public, err := webhookURL(o.PublicURL, o.Path)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ <-chan struct{}, report func(linkStatus)) {
		report(linkStatus{state: model.TunnelStarting, url: public, unmeasured: true})
		<-ctx.Done()
	}, nil
}
