package tunnel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os/exec"
	"runtime"
	"slices"
	"time"

	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/model"
)

const cloudflaredNotice = "Cloudflare can read what passes through this tunnel;" +
	" running cloudflared accepts its terms, https://www.cloudflare.com/website-terms/"

// stableAfter is how long a connection must have lasted to reset the pauses.
const stableAfter = time.Minute

// cloudflared is the provider that runs and restarts the program.
type cloudflared struct {
	program     string
	local, path string
	token       string // of a named tunnel
	public      string // webhook URL that the user gave with it, "" if none
	now         func() time.Time

	fast, slow time.Duration // interval of polls at an unconnected and a connected tunnel
	silence    time.Duration // without the metrics server, after which the program hangs
	answer     time.Duration // timeout of the metrics server
	patience   time.Duration // until the program is killed
	certain    time.Duration // of refusals, after which they count as final
	unheard    time.Duration // without the edge, after which the ports seem blocked
	lost       time.Duration // without a connection, after which only a restart may help
	settle     time.Duration // until the name of a new quick tunnel is in the DNS
	pause      func(failed int, limited bool) time.Duration
	// outside reports whether host can be reached.
	outside func(ctx context.Context, host string) bool
}

func newCloudflared(o Options) (*cloudflared, error) {
	c := &cloudflared{
		local: o.Local, path: o.Path, token: o.Token, now: o.Now,
		fast: 200 * time.Millisecond, slow: time.Second, silence: 90 * time.Second,
		answer: 2 * time.Second, patience: grace + 2*time.Second, certain: 45 * time.Second,
		unheard: 20 * time.Second, lost: 90 * time.Second, outside: answersTCP,
		settle: time.Second, pause: pauseAfter,
	}
	if err := checkLocal(o.Local); err != nil {
		return nil, err
	}
	var err error
	if o.Token != "" {
		if err := checkToken(o.Token); err != nil {
			return nil, err
		}
		if o.PublicURL != "" {
			if c.public, err = webhookURL(o.PublicURL, o.Path); err != nil {
				return nil, err
			}
		}
	}
	if c.program, err = FindProgram(o.Program); err != nil {
		return nil, err
	}
	return c, nil
}

// pauseAfter is the pause after a number of failures in a row: a second to a minute
// or, if Cloudflare limits or refuses us, two minutes to a quarter of an hour. It has
// jitter, because others behind the same address retry too.
func pauseAfter(failed int, limited bool) time.Duration {
	least, most := time.Second, time.Minute
	if limited {
		least, most = 2*time.Minute, 15*time.Minute
	}
	return broadcast.Jittered(broadcast.Grow(least, most, failed))
}

func (c *cloudflared) run(ctx context.Context, wake <-chan struct{}, report func(linkStatus)) {
	state, last := model.TunnelStarting, ""
	for failed := 0; ; {
		l := &session{cloudflared: c, report: report, begun: state, last: last}
		e := l.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if e.refused {
			report(linkStatus{state: model.TunnelFailed, url: c.public, detail: e.why, refused: true})
			<-ctx.Done()
			return
		}
		if !l.since.IsZero() && c.now().Sub(l.since) >= stableAfter {
			failed = 0
		}
		failed++
		state, last = model.TunnelReconnecting, e.why
		if e.failed {
			state = model.TunnelFailed
		}
		pause := c.pause(failed, e.limited)
		report(linkStatus{state: state, url: c.public, detail: e.why, nextTry: c.now().Add(pause)})
		early := wake
		if e.limited {
			early = nil
		}
		if rest(ctx, pause, early); ctx.Err() != nil {
			return
		}
	}
}

// service checks whether the ingress rules from Cloudflare's dashboard lead to us, and
// returns the public URL and the problem, if any.
func (c *cloudflared) service(rules []rule) (public, problem string) {
	public = c.public
	host := ""
	if u, err := url.Parse(public); err == nil {
		host = u.Host
	}
	for _, r := range rules {
		if r.Hostname == "" || host != "" && r.Hostname != host {
			continue
		}
		if public == "" {
			public = "https://" + clean.Line(r.Hostname) + c.path
		}
		if leadsTo(r.Service, c.local) {
			return public, ""
		}
		return public, fmt.Sprintf("the tunnel's settings route %s to %s instead of %s: change its service in Cloudflare's"+
			" dashboard, or this program's --listen", clean.Line(r.Hostname), clean.Line(r.Service), c.local)
	}
	if host != "" {
		return public, fmt.Sprintf("the tunnel's settings have no public hostname %s: add it in Cloudflare's dashboard"+
			" with the service %s", host, c.local)
	}
	return "", fmt.Sprintf("the tunnel's settings have no public hostname: add one in Cloudflare's dashboard with the service %s",
		c.local)
}

// leadsTo compares the ports only: from inside a container or another machine
// the host has another name.
func leadsTo(service, local string) bool {
	s, err1 := url.Parse(service)
	l, err2 := url.Parse(local)
	return err1 == nil && err2 == nil && s.Scheme == "http" && cmp.Or(s.Port(), "80") == l.Port()
}

// FindProgram returns the path of cloudflared: of name or, if empty, of the first on
// PATH. Its error says how to install it on this system.
func FindProgram(name string) (string, error) {
	if name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("--cloudflared %s cannot be run: %w", name, cause(err))
		}
		return path, nil
	}
	path, err := exec.LookPath("cloudflared")
	if err == nil {
		return path, nil
	}
	if errors.Is(err, exec.ErrDot) {
		return "", errors.New("cloudflared in the current directory is not trusted: use --cloudflared ./cloudflared")
	}
	return "", fmt.Errorf("cloudflared is not installed: %s; or use --tunnel=svix, which needs no program",
		installation(runtime.GOOS, runtime.GOARCH))
}

// cause removes the name that LookPath adds to an error.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}

func installation(system, arch string) string {
	const releases = "https://github.com/cloudflare/cloudflared/releases/latest"
	switch {
	case system == "darwin":
		return "brew install cloudflared"
	case system == "windows":
		return "winget install --id Cloudflare.cloudflared"
	case system == "linux" && slices.Contains([]string{"amd64", "arm64", "386", "arm"}, arch):
		return fmt.Sprintf("get a package from https://pkg.cloudflare.com, or save %s/download/cloudflared-linux-%s"+
			" as an executable named cloudflared in a directory on PATH", releases, arch)
	}
	return "see " + releases
}

// child is a process that ends with us, including its descendants.
type child struct {
	cmd   *exec.Cmd
	group group
	done  chan struct{} // closed when it and its descendants have ended
}

func start(program string, args, env []string, out io.Writer) (*child, error) {
	c := &child{cmd: exec.Command(program, args...), done: make(chan struct{})}
	c.cmd.Env = env
	c.cmd.Stdout, c.cmd.Stderr = out, out
	// A descendant may outlive it and hold the pipe open.
	c.cmd.WaitDelay = time.Second
	started := make(chan error)
	go func() {
		// On Linux the parent-death signal is tied to the thread that started the
		// child, so this thread must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		err := c.group.start(c.cmd)
		started <- err
		if err != nil {
			return
		}
		_ = c.cmd.Wait() // see state
		c.group.kill()
		c.group.close()
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// stop asks the child to end, and kills it if that takes longer than patience.
func (c *child) stop(patience time.Duration) {
	select {
	case <-c.done: // its pid may be reused by now
		return
	default:
	}
	if c.group.terminate() == nil {
		limit := time.NewTimer(patience)
		defer limit.Stop()
		select {
		case <-c.done:
			return
		case <-limit.C:
		}
	}
	c.group.kill()
	<-c.done
}
