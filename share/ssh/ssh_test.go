package ssh

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	gossh "golang.org/x/crypto/ssh"
)

func TestAClientThatDoesNotReadIsEndedAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		c.limits.stall, c.limits.alive = 2*time.Second, time.Hour
		c.Lines = func(ctx context.Context, out io.Writer, _, _ bool) error {
			for page := []byte(strings.Repeat("all the news ", 1<<12)); ctx.Err() == nil; {
				if _, err := out.Write(page); err != nil {
					return err
				}
			}
			return nil
		}
	})
	stuck, err := r.dial(nil).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stuck.StdoutPipe(); err != nil { // which nobody reads
		t.Fatal(err)
	}
	if err := stuck.Start("--plain"); err != nil {
		t.Fatal(err)
	}
	within(t, "it is in", func() bool { return len(r.server.Viewers()) == 1 })
	other := r.watch(r.dial(nil))
	other.shows("80x24")
	ended := make(chan error, 1)
	go func() { ended <- stuck.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("a client that does not read is not ended")
	}
	other.session.WindowChange(30, 100)
	other.shows("100x30")
	within(t, "only the other one is left", func() bool { return len(r.server.Viewers()) == 1 })
}

// gate is a connection that can stop to deliver, as a suspended client's does.
type gate struct {
	net.Conn
	mu     sync.Mutex
	closed chan struct{}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		<-closed
	}
	return n, err
}

func TestASuspendedClientIsEnded(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.limits.stall, c.limits.alive = 2*time.Second, 100*time.Millisecond })
	conn, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Conn: conn}
	client := r.dial(g)
	w := r.watch(client)
	w.shows("80x24")
	g.shut()
	within(t, "it is gone", func() bool { return len(r.server.Viewers()) == 0 })
	close(g.closed)
}

func TestAPanicEndsItsSessionOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		c.Lines = func(context.Context, io.Writer, bool, bool) error { panic("in Lines") }
	})
	other := r.watch(r.dial(nil))
	other.shows("80x24")
	for _, key := range []string{"u", "c", "v"} {
		s, err := r.dial(nil).NewSession()
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		w := &watching{t: t, session: s, ended: make(chan error, 1)}
		s.Stdout, s.Stderr = w, w
		s.RequestPty("xterm", 24, 80, nil)
		if err := s.Shell(); err != nil {
			t.Fatal(err)
		}
		go func() { w.ended <- s.Wait() }()
		w.shows("80x24")
		io.WriteString(in, key)
		w.ends(1)
		if !strings.Contains(w.written(), "\x1b[?1049l") || !strings.Contains(w.written(), "ended by an error in aspectop") {
			t.Errorf("after a panic (%s) the client has %q", key, w.written())
		}
	}
	r.print(r.dial(nil)).ends(1)
	other.session.WindowChange(30, 100)
	other.shows("100x30")
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, where := range []string{"in Update", "in a command", "in View", "in Lines"} {
		if i >= len(r.notices) || !strings.Contains(r.notices[i], where) {
			t.Errorf("the notices are %q, want one of %s", r.notices, where)
		}
	}
}

func TestWhoDoesNothingInTimeIsEnded(t *testing.T) {
	t.Parallel()
	t.Run("without logging in", func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.limits.login = 200 * time.Millisecond })
		conn, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error("a client that does not log in is not ended:", err)
		}
	})
	t.Run("the oldest of too many without logging in", func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.limits.halfOpen = 2 })
		var first net.Conn
		for range 3 {
			conn, err := net.Dial("tcp", r.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if first == nil {
				first = conn
			}
		}
		first.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, first); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error("it is not ended:", err)
		}
		r.dial(nil)
	})
	t.Run("without a session", func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.limits.login = 2 * time.Second }) // in which a loaded machine has to log in
		client := r.dial(nil)
		if _, err := client.NewSession(); err != nil { // in which nothing is asked for
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- client.Wait() }()
		select {
		case <-ended:
		case <-time.After(patience):
			t.Error("a client without a session is not ended")
		}
	})
	t.Run("without a key", func(t *testing.T) {
		r := newRig(t, func(c *Config) { c.limits.idle = 500 * time.Millisecond })
		w := r.watch(r.dial(nil))
		w.ends(1)
		if !strings.Contains(w.written(), "no key was pressed") {
			t.Errorf("it says %q", w.written())
		}
	})
}

func TestAConnectionGetsNothingButSessions(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) { c.limits.channels = 2 })
	client := r.dial(nil)
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com", "tun@openssh.com"} {
		if _, _, err := client.OpenChannel(kind, nil); err == nil {
			t.Errorf("a channel of type %s was opened", kind)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "no-such-request"} {
		if ok, _, err := client.SendRequest(kind, true, nil); ok || err != nil {
			t.Errorf("the request %s was granted: %v", kind, err)
		}
	}
	s, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"auth-agent-req@openssh.com", "x11-req", "subsystem", "window-change", "break"} {
		if ok, err := s.SendRequest(kind, true, gossh.Marshal(struct{ Name string }{"sftp"})); ok || err != nil {
			t.Errorf("the request %s was granted: %v", kind, err)
		}
	}
	for name, want := range map[string]bool{"LANG": true, "NO_COLOR": true, "LD_PRELOAD": false, "TERM": false, "TEA_DEBUG": false} {
		if err := s.Setenv(name, "1"); (err == nil) != want {
			t.Errorf("setting %s: %v", name, err)
		}
	}
	if err := s.Setenv("COLORTERM", strings.Repeat("x", 100)); err == nil {
		t.Error("a long variable was taken")
	}
	if _, err := client.NewSession(); err != nil {
		t.Error(err)
	}
	if _, err := client.NewSession(); err == nil {
		t.Error("a third channel was opened")
	}
}

func TestAScreenIsNeverLargerThanTheLimit(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config) {
		c.Screen = func(_ context.Context, c Client) tea.Model { return &still{window: c.Window} }
	})
	w := r.ask(r.dial(nil), 1<<31, 1<<31, "")
	w.shows("400x120 of 2147483648x2147483648")
	w.session.WindowChange(1<<30, 1<<30)
	w.session.WindowChange(10, 20)
	w.shows("20x10 of 20x10")
	w.session.Close()
	within(t, "it has left", func() bool { return len(r.server.Viewers()) == 0 })
}

func TestSessionsOfOneConnectionEndByThemselves(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	client := r.dial(nil)
	first, second := r.watch(client), r.print(client)
	first.shows("80x24")
	second.shows("ready")
	if v := r.server.Viewers(); len(v) != 2 || v[0].Name != "ada" || v[0].Address != "127.0.0.1" {
		t.Errorf("the viewers are %v", v)
	}
	second.session.Close()
	within(t, "the second one has left", func() bool { return len(r.server.Viewers()) == 1 })
	first.session.WindowChange(30, 100)
	first.shows("100x30")
}
