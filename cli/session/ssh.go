package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/pflag"
	gossh "golang.org/x/crypto/ssh"

	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/receiver"
	"aspectop/share/ssh"
	"aspectop/ui"
	"aspectop/ui/screen"
	"aspectop/words"
)

// sshFlags configure who else may watch over SSH.
type sshFlags struct {
	ssh         string
	sshKeys     string
	sshPrivate  bool
	sshSessions int
	set         *pflag.FlagSet
}

func (f *sshFlags) flags(set *pflag.FlagSet) {
	f.set = set
	set.StringVar(&f.ssh, "ssh", "", "serve this screen, read-only, over SSH on the `address`, such as 127.0.0.1:2222")
	settings.PathVar(set, &f.sshKeys, "ssh-keys", "`file` of public keys that may connect (default: authorized_keys next to the config file)", nil)
	set.BoolVar(&f.sshPrivate, "ssh-private", false, "hide user ids and URLs from SSH viewers")
	set.IntVar(&f.sshSessions, "ssh-sessions", 16, "maximum number of SSH viewers at once")
}

// check validates the flags and returns the keys that may connect, nil without --ssh.
func (f *sshFlags) check() (*ssh.Keys, error) {
	switch {
	case f.ssh == "" && (f.sshKeys != "" || f.sshPrivate) && !settings.Waits(f.set, "ssh-keys", "ssh-private"):
		return nil, exit.Usage("--ssh-keys and --ssh-private need --ssh, such as --ssh 127.0.0.1:2222")
	case f.ssh == "":
		return nil, nil
	case f.sshSessions < 1:
		return nil, exit.Usage("--ssh-sessions must be at least 1")
	}
	_, port, _ := net.SplitHostPort(f.ssh) // for the hint; listen reports a bad address
	if port == "0" {
		port = "PORT"
	}
	return openSSHKeys(f.sshKeys, port)
}

func (s *Session) serveSSH(f sshFlags) error {
	keys, err := f.check()
	if err != nil || keys == nil {
		return err
	}
	state, err := settings.StateDir()
	if err != nil {
		return exit.Setup(err)
	}
	hostKey, err := ssh.HostKey(filepath.Join(state, "ssh_host_ed25519_key"))
	if err != nil {
		return exit.Setup(err)
	}
	l, _, err := s.listeners.Open("ssh", f.ssh, false)
	if err != nil {
		return err
	}
	viewing, err := ssh.New(ssh.Config{
		Keys: keys, HostKey: hostKey, Sessions: f.sshSessions,
		Screen: s.remoteScreen, Lines: s.remoteLines,
		Report: func(v model.Viewer) {
			s.status.Add(model.Status{At: time.Now().UTC(), Viewer: &v})
		},
		Notice: s.notice,
	})
	if err != nil {
		return exit.Setup(err)
	}
	s.viewers, s.sshPrivate = viewing.Viewers, f.sshPrivate
	shutdown := func(ctx context.Context) { viewing.Shutdown(ctx) } // the rest is cut off
	s.servers = append(s.servers, server{"SSH", viewing.Serve, shutdown, l})
	host, port, err := net.SplitHostPort(receiver.Reachable(l.Addr()))
	if err != nil {
		return exit.Setup(err)
	}
	s.sshCommand = fmt.Sprintf("ssh -p %s %s", port, hostFor(l, host))
	network := openToNetwork(l)
	if network != "" {
		network += "; "
	}
	s.Remark(fmt.Sprintf("%sto watch, run: ssh -p %s %s (%s authorized, host key %s)",
		network, port, host, words.Count(keys.Len(), "key", "keys"), gossh.FingerprintSHA256(hostKey.PublicKey())))
	return nil
}

// hostFor is what others call this machine if it listens on all of its addresses, else the
// address.
func hostFor(l net.Listener, address string) string {
	if a, ok := l.Addr().(*net.TCPAddr); ok && a.IP.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			return name
		}
	}
	return address
}

// openSSHKeys reads the authorized keys. Without any it fails and says how to add
// one and how to log in on the port.
func openSSHKeys(path, port string) (*ssh.Keys, error) {
	if path == "" {
		config := settings.ConfigPath()
		if config == "" {
			return nil, exit.Usage("--ssh needs --ssh-keys: there is no config directory")
		}
		path = filepath.Join(filepath.Dir(config), "authorized_keys")
	}
	keys, err := ssh.OpenKeys(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ssh.ErrNoKeys) {
		folder := ""
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			folder = fmt.Sprintf("install -d -m 700 '%s'; ", filepath.Dir(path))
		}
		return nil, exit.Setup(fmt.Errorf(`%s contains no key, so nobody could connect. To make and add one:
  ssh-keygen -t ed25519 -f ~/.ssh/aspectop
  (umask 077; %scat ~/.ssh/aspectop.pub >> '%s')
and to log in with it: ssh -i ~/.ssh/aspectop -p %s HOST
Others send you the .pub file of a key of theirs; add it in the same way`, path, folder, path, port))
	}
	if err != nil {
		return nil, exit.Setup(err)
	}
	return keys, nil
}

// remoteScreen is the read-only screen of an SSH viewer.
func (s *Session) remoteScreen(ctx context.Context, c ssh.Client) tea.Model {
	return ui.New(ctx, remoteOptions(s.options(), c, s.sshPrivate))
}

// remoteOptions lists what a viewer over SSH gets of the host's screen: what is not
// named here, such as everything that acts on the host, no viewer has.
func remoteOptions(host screen.Options, c ssh.Client, private bool) screen.Options {
	o := screen.Options{
		Feed: host.Feed, Journal: withoutCredentials{host.Journal}, Now: host.Now, Pace: remotePace(host.Viewers),
		Receiver: host.Receiver, Secrets: host.Secrets, Sources: host.Sources, Failing: host.Failing, Names: host.Names,
		Queues: host.Queues, Viewers: host.Viewers, Filter: host.Filter, Filters: host.Filters, Since: host.Since, Try: host.Try, Demo: host.Demo, Title: host.Title,
		Remarks: []string{"read-only view; press ? for the keys"}, Remote: true, Private: private, Terminal: c.Window,
		Theme: "auto", ASCII: host.ASCII || c.ASCII, ReducedMotion: host.ReducedMotion,
	}
	if c.NoColor {
		o.Theme = "mono"
	}
	if !private {
		o.JournalPath, o.API, o.Endpoint = host.JournalPath, host.API, host.Endpoint
	}
	return o
}

// remotePace is the least time between two frames of a viewer: ten a second, and all
// viewers together 64, or many would slow down the receiver.
func remotePace(viewers func() []model.Viewer) func() time.Duration {
	const each, all = time.Second / 10, time.Second / 64
	return func() time.Duration { return max(each, all*time.Duration(len(viewers()))) }
}

// withoutCredentials redacts headers that would give viewers access elsewhere, such
// as a password added by a proxy.
type withoutCredentials struct{ screen.Journal }

func (r withoutCredentials) Repeats(ctx context.Context, message int64) ([]model.Delivery, error) {
	deliveries, err := r.Journal.Repeats(ctx, message)
	for i := range deliveries {
		deliveries[i].Header = clean.RedactHeaders(deliveries[i].Header)
	}
	return deliveries, err
}

func (r withoutCredentials) Get(ctx context.Context, seq int64) (model.Delivery, error) {
	d, err := r.Journal.Get(ctx, seq)
	d.Header = clean.RedactHeaders(d.Header)
	return d, err
}

// remoteLines prints lines for an SSH viewer, of what arrives from now on.
func (s *Session) remoteLines(ctx context.Context, out io.Writer, json, terminal bool) error {
	select {
	case <-s.receiving:
	case <-ctx.Done():
		return nil
	}
	o := s.lines(ctx, s.sshPrivate)
	o.Out, o.Dates = out, !terminal
	s.Feed.RLock()
	o.From = s.Feed.Seen()
	s.Feed.RUnlock()
	if json {
		o.Format = printer.JSON
	}
	_, _, o.Begin = s.status.After(0)
	return printer.Run(ctx, o)
}
