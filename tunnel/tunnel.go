// Package tunnel makes the receiver reachable from outside and says truthfully
// whether it is. There are three ways: cloudflared as a child process, Svix's
// relay over a websocket, and a URL that the user provides. Whichever it is,
// only a signed request of our own that comes back through the public URL
// counts as proof; see [Prober].
//
// It is not a server and judges no delivery: it knows the receiver by its
// local URL only. It registers the public URL with nobody; who did that is
// told by [Options.Report] when the URL changes.
package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"aspectop/model"
)

// Mode is a way of being reachable, and the Kind of a [model.Tunnel].
type Mode string

const (
	Cloudflared Mode = "cloudflared" // a quick tunnel, or with a token a named one
	SvixRelay   Mode = "svix"        // the relay behind Svix Play
	OwnURL      Mode = "url"         // a tunnel of the user's own
)

// ReadyWait is how long a start should wait in [Tunnel.Ready] before it goes on
// and says what is missing.
const ReadyWait = 30 * time.Second

// ErrRefused is in the error of [Tunnel.Ready] when the tunnel's program does
// not accept how it was called, so that no further try will help.
var ErrRefused = errors.New("refused")

// Options say which tunnel is wanted. Local, Path, Prober and Report are always
// needed.
type Options struct {
	Mode Mode
	// Local is the receiver's own address without a path, such as
	// http://127.0.0.1:8787.
	Local string
	// Path is the receiver's path, escaped as in a URL. Nothing else is exposed.
	Path string
	// PublicURL is the address of OwnURL, or the one under which a named
	// tunnel of Cloudflared is reached. Without a path, Path is appended.
	PublicURL string
	// Program is cloudflared's name or path; "" looks for it on PATH.
	Program string
	// Token makes Cloudflared run the named tunnel it belongs to. It goes into
	// the child's environment and nowhere else.
	Token string
	// StateDir is a folder of the user's own, made if it is missing, where
	// SvixRelay keeps its token, so that the address stays the same.
	StateDir string
	// Prober asks the public URL. Its Saw must be told by the receiver.
	Prober *Prober
	// Report is told every change, one after the other and never concurrently.
	// A probe is one if it is the first of a connection or its outcome is
	// another than that of the one before; State always has the newest.
	Report func(model.Tunnel)
	// Now is the clock on the wall; nil is time.Now.
	Now func() time.Time
}

// link is what a carrier says about the way it keeps open.
type link struct {
	state   model.TunnelState
	url     string
	detail  string
	nextTry time.Time
	// settle is how long the name in url needs before it is asked for: an
	// answer that it does not exist would be remembered by resolvers.
	settle time.Duration
	// unmeasured: the carrier cannot tell, so the probe decides.
	unmeasured bool
	// refused: further tries are of no use.
	refused bool
}

// carrier keeps one way open until ctx ends, then closes it and returns. It
// tells every change, and nothing after it returned. A message on wake says
// that the machine may have slept.
type carrier func(ctx context.Context, wake <-chan struct{}, tell func(link))

// rest waits for the time given or, if that is sooner, until ctx ends or the
// machine wakes.
func rest(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}

// Tunnel is a way from outside to the receiver. Its methods may be used by any
// number of goroutines.
type Tunnel struct {
	o      Options
	notice string
	carry  carrier
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	told model.Tunnel
	// missing says why the newest probe failed, also while it does not count
	// yet; "" if it did not.
	missing string
	refused bool
	news    chan struct{} // closed and replaced at every change
}

// Start begins to make the receiver reachable, and returns without waiting for
// it. It ends with ctx or [Tunnel.Stop]. An error is the user's to solve: the
// program is missing, or something given cannot work.
func Start(ctx context.Context, o Options) (*Tunnel, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	carry, notice, err := choose(o)
	if err != nil {
		return nil, err
	}
	return launch(ctx, o, carry, notice), nil
}

func choose(o Options) (carry carrier, notice string, err error) {
	switch o.Mode {
	case Cloudflared:
		c, err := newCloudflared(o)
		if err != nil {
			return nil, "", err
		}
		return c.run, cloudflaredNotice, nil
	case SvixRelay:
		r, err := newRelay(o)
		if err != nil {
			return nil, "", err
		}
		return r.run, relayNotice, nil
	case OwnURL:
		public, err := webhookURL(o.PublicURL, o.Path)
		if err != nil {
			return nil, "", err
		}
		return ownURL(public), "", nil
	}
	return nil, "", fmt.Errorf("unknown tunnel %q: must be %s, %s or %s", o.Mode, Cloudflared, SvixRelay, OwnURL)
}

func launch(ctx context.Context, o Options, carry carrier, notice string) *Tunnel {
	ctx, cancel := context.WithCancel(ctx)
	t := &Tunnel{
		o: o, notice: notice, carry: carry, cancel: cancel,
		done: make(chan struct{}),
		told: model.Tunnel{Kind: string(o.Mode), State: model.TunnelStarting},
		news: make(chan struct{}),
	}
	go t.run(ctx)
	return t
}

// State returns how things stand: what was last reported, with the newest probe.
func (t *Tunnel) State() model.Tunnel {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.told
}

// Notice is what the user should be told once about this way: who else sees
// what comes through it. It is "" if there is nothing to say.
func (t *Tunnel) Notice() string { return t.notice }

// Ready waits until a probe came through the tunnel, for at most atMost. Its
// error says what is missing; the tunnel goes on nevertheless, unless the error
// is [ErrRefused].
func (t *Tunnel) Ready(ctx context.Context, atMost time.Duration) error {
	limit := time.NewTimer(atMost)
	defer limit.Stop()
	for {
		t.mu.Lock()
		now, missing, refused, news := t.told, t.missing, t.refused, t.news
		t.mu.Unlock()
		switch {
		case refused:
			return fmt.Errorf("%s: %w", now.Detail, ErrRefused)
		case now.State == model.TunnelConnected && now.Probe != nil && now.Probe.OK:
			return nil
		}
		select {
		case <-news:
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

// Stop closes the tunnel and returns when it is closed: at once or, if
// cloudflared still serves requests, after five seconds at most. No child is
// left. The receiver should have stopped before, so that its last answers get
// through.
func (t *Tunnel) Stop() {
	t.cancel()
	<-t.done
}

// CheckPublicURL reports what is wrong with a URL that a user gave as the
// receiver's public one.
func CheckPublicURL(text string) error {
	_, err := webhookURL(text, "/")
	return err
}

// webhookURL checks a URL that the user gave, and appends path if it has none.
func webhookURL(text, path string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return "", errors.New("no public URL: set --public-url https://…")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is not a public URL: it must look like https://example.com/webhooks", text)
	case u.User != nil:
		return "", errors.New("the public URL must not contain a user name or password, because it is displayed")
	case u.RawQuery != "" || u.Fragment != "":
		return "", fmt.Errorf("the public URL %q must not have a query or a fragment", text)
	}
	if u.Path == "" || u.Path == "/" {
		return u.Scheme + "://" + u.Host + path, nil
	}
	return text, nil
}

// ownURL is the carrier of an address that somebody else keeps open.
func ownURL(public string) carrier {
	return func(ctx context.Context, _ <-chan struct{}, tell func(link)) {
		tell(link{state: model.TunnelStarting, url: public, unmeasured: true})
		<-ctx.Done()
	}
}
