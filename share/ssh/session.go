package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"charm.land/wish/v2/bubbletea"
	"github.com/charmbracelet/colorprofile"
	gossh "golang.org/x/crypto/ssh"

	"aspectop/model"
)

// Exit statuses that a client's ssh ends with.
const (
	statusFailed = 1
	statusUsage  = 2
)

// Client is who watches, and what is known of the terminal.
type Client struct {
	Name    string // the comment of the key, without one its fingerprint
	Address string
	NoColor bool // wants none
	ASCII   bool // its locale has nothing else
}

// environment are the variables that a client may set. TERM comes with the
// terminal.
var environment = []string{"COLORTERM", "NO_COLOR", "LANG"}

// maxVariable is the greatest length of a variable and its value, in bytes.
const maxVariable = 64

// Terminals are drawn as large as this at most, whatever the client says.
const maxWidth, maxHeight = 1000, 400

// channel takes a channel in which a session may be asked for.
func (s *Server) channel(srv *ssh.Server, sc *gossh.ServerConn, nc gossh.NewChannel, ctx ssh.Context) {
	c := connOf(ctx)
	if !c.opened() {
		nc.Reject(gossh.ResourceShortage, "too many sessions in one connection")
		return
	}
	defer c.shut()
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	ssh.DefaultSessionHandler(srv, sc, &narrowChannel{nc, cancel}, &sessionContext{ctx, own})
}

// sessionContext is a connection's context that ends with the channel.
type sessionContext struct {
	ssh.Context
	own context.Context
}

func (c *sessionContext) Done() <-chan struct{}       { return c.own.Done() }
func (c *sessionContext) Err() error                  { return c.own.Err() }
func (c *sessionContext) Deadline() (time.Time, bool) { return c.own.Deadline() }

// narrowChannel lets through what a screen and lines need.
type narrowChannel struct {
	gossh.NewChannel
	closed func() // called when the client has closed the channel
}

func (n *narrowChannel) Accept() (gossh.Channel, <-chan *gossh.Request, error) {
	ch, in, err := n.NewChannel.Accept()
	if err != nil {
		return nil, nil, err
	}
	out := make(chan *gossh.Request)
	go func() {
		defer close(out)
		defer n.closed()
		variables, started := 0, false
		for r := range in {
			ok := false
			switch r.Type {
			case "pty-req":
				ok = !started
			case "shell", "exec":
				ok, started = true, true
			case "window-change":
				ok = started // before, nobody would take it
			case "env":
				if ok = !started && variables < len(environment) && isWanted(r.Payload); ok {
					variables++
				}
			}
			if ok {
				out <- r
			} else if r.WantReply {
				r.Reply(false, nil)
			}
		}
	}()
	return ch, out, nil
}

func isWanted(payload []byte) bool {
	var v struct{ Name, Value string }
	if gossh.Unmarshal(payload, &v) != nil || len(payload) > maxVariable {
		return false
	}
	for _, name := range environment {
		if v.Name == name {
			return true
		}
	}
	return false
}

// handle is a session, from its begin to its end.
func (s *Server) handle(sess ssh.Session) {
	c := connOf(sess.Context())
	c.begin()
	defer c.end()
	defer func() {
		if r := recover(); r != nil {
			s.crashed(sess, r)
		}
	}()
	_, resized, terminal := sess.Pty()
	sizes := newest(resized)

	json := false
	switch command := strings.TrimPrefix(sess.RawCommand(), "-- "); {
	case command == "--json":
		json = true
	case command == "--plain":
	case command != "":
		refuse(sess, statusUsage, "no commands here; ssh -t HOST shows the screen, ssh HOST -- --plain or --json prints lines")
		return
	case !terminal && !grantOf(sess.Context()).Terminal:
		refuse(sess, statusUsage, "this key gets no terminal; ssh HOST -- --plain or --json prints lines")
		return
	case !terminal:
		refuse(sess, statusUsage, "no terminal to draw on; ssh -t HOST asks for one, ssh HOST -- --plain or --json prints lines")
		return
	}

	ctx, end := context.WithCancelCause(sess.Context())
	defer end(nil)
	defer context.AfterFunc(s.ctx, func() { end(context.Cause(s.ctx)) })()
	grant := grantOf(sess.Context())
	v := &viewer{
		Viewer: model.Viewer{Name: grant.Name, Address: host(sess.RemoteAddr()), Since: time.Now().UTC()},
		key:    sess.PublicKey(), from: sess.RemoteAddr(), end: end,
	}
	if err := s.join(v); err != nil {
		refuse(sess, statusFailed, err.Error())
		return
	}
	defer s.leave(v)
	go s.keepAlive(ctx, sess)

	client, env := clientOf(sess, v.Viewer)
	pty, _, _ := sess.Pty()
	var err error
	if sess.RawCommand() == "" && pty.Term != "dumb" && pty.Term != "" {
		err = s.screen(ctx, end, sess, client, env, sizes)
	} else {
		err = s.lines(ctx, end, sess, json, terminal)
	}
	if err == nil && ctx.Err() != nil && context.Cause(ctx) != errClosing && sess.Context().Err() == nil {
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, errLeft) {
		refuse(sess, statusFailed, err.Error())
	}
	sess.Exit(0) // before it is counted out, for then the connection may be closed
}

// errLeft is why a session ends whose client has pressed a key to that end.
var errLeft = errors.New("left")

// refuse ends the session with a word on the client's stderr.
func refuse(sess ssh.Session, status int, why string) {
	end := "\n"
	if _, _, terminal := sess.Pty(); terminal {
		end = "\r\n"
	}
	io.WriteString(sess.Stderr(), "aspectop: "+why+end)
	sess.Exit(status)
}

// crashed ends one session whose program failed; the others go on.
func (s *Server) crashed(sess ssh.Session, what any) {
	s.config.Notice(fmt.Sprintf("SSH: a session ended by an error in aspectop: %v", what))
	refuse(sess, statusFailed, "this session ended by an error in aspectop")
}

// clientOf is what the client says of itself. env is for Bubble Tea.
func clientOf(sess ssh.Session, v model.Viewer) (c Client, env []string) {
	c = Client{Name: v.Name, Address: v.Address}
	for _, e := range sess.Environ() {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "NO_COLOR":
			c.NoColor = value != ""
			continue // Bubble Tea reads it as a boolean; by the convention any value counts
		case "LANG":
			utf8 := strings.ReplaceAll(strings.ToLower(value), "-", "")
			c.ASCII = value != "" && !strings.Contains(utf8, "utf8")
		}
		env = append(env, e)
	}
	pty, _, _ := sess.Pty()
	return c, append(env, "TERM="+pty.Term)
}

// newest takes all sizes and holds the newest one, until the client is gone:
// whoever sends them must not wait.
func newest(in <-chan ssh.Window) <-chan ssh.Window {
	out := make(chan ssh.Window, 1)
	if in == nil {
		return out
	}
	go func() {
		for w := range in {
			select {
			case <-out:
			default:
			}
			out <- w
		}
	}()
	return out
}

func clamp(w ssh.Window) (width, height int) {
	return min(max(w.Width, 0), maxWidth), min(max(w.Height, 0), maxHeight)
}

// screen runs a program on the client's terminal.
func (s *Server) screen(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session, c Client, env []string, sizes <-chan ssh.Window) error {
	m, release, err := s.config.Screen(ctx, c)
	if err != nil {
		return err
	}
	defer release()
	profile := colorprofile.Env(env)
	if c.NoColor {
		profile = min(profile, colorprofile.ASCII)
	}
	pty, _, _ := sess.Pty()
	width, height := clamp(pty.Window)
	in := s.input(ctx, end, sess)
	defer in.stop()
	guarded := &guardedModel{Model: m, turns: s.turns}
	p := tea.NewProgram(guarded, append(bubbletea.MakeOptions(sess),
		tea.WithInput(in), tea.WithOutput(&output{sess, s.config.limits.stall, connOf(sess.Context())}),
		tea.WithEnvironment(env), tea.WithColorProfile(profile), tea.WithWindowSize(width, height),
		tea.WithFPS(framesPerSecond), tea.WithoutSignalHandler(),
	)...)
	guarded.quit = p.Quit
	over := make(chan struct{})
	defer close(over)
	go func() {
		for {
			select {
			case w := <-sizes:
				width, height := clamp(w)
				p.Send(tea.WindowSizeMsg{Width: width, Height: height})
			case <-ctx.Done():
				p.Quit()
				return
			case <-over:
				return
			}
		}
	}()
	_, err = p.Run()
	if what := guarded.panicked.Load(); what != nil {
		s.crashed(sess, *what)
		return errLeft
	}
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// lines prints until the client leaves.
func (s *Server) lines(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session, json, terminal bool) error {
	in := s.input(ctx, end, sess)
	defer in.stop()
	go func() {
		buf := make([]byte, 256)
		for {
			n, err := in.Read(buf)
			// A terminal in raw mode sends ctrl+c as it is.
			if terminal && strings.ContainsAny(string(buf[:n]), "\x03\x04q") {
				end(errLeft)
			}
			if err != nil {
				return
			}
		}
	}()
	return s.config.Lines(ctx, &output{sess, s.config.limits.stall, connOf(sess.Context())}, json)
}

// output ends the connection of a client that takes nothing for too long.
type output struct {
	sess  ssh.Session
	stall time.Duration
	conn  *conn
}

func (o *output) Write(p []byte) (int, error) {
	t := time.AfterFunc(o.stall, func() { o.conn.Close() })
	defer t.Stop()
	return o.sess.Write(p)
}

// input ends the session of somebody who presses no key for too long.
type input struct {
	io.Reader
	timer *time.Timer
	idle  time.Duration
}

func (s *Server) input(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session) *input {
	idle := s.config.limits.idle
	return &input{sess, time.AfterFunc(idle, func() { end(fmt.Errorf("no key was pressed for %s", idle)) }), idle}
}

func (i *input) Read(p []byte) (int, error) {
	n, err := i.Reader.Read(p)
	if n > 0 && i.timer.Stop() {
		i.timer.Reset(i.idle)
	}
	return n, err
}

func (i *input) stop() { i.timer.Stop() }

// keepAlive asks the client again and again whether it is still there, and ends
// the connection if it does not answer in time: a suspended client or a dead line
// would else be noticed only when the buffers on the way are full.
func (s *Server) keepAlive(ctx context.Context, sess ssh.Session) {
	sc := sess.Context().Value(ssh.ContextKeyConn).(*gossh.ServerConn)
	c := connOf(sess.Context())
	l := s.config.limits
	tick := time.NewTicker(l.alive)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		t := time.AfterFunc(l.stall-l.alive, func() { c.Close() })
		_, _, err := sc.SendRequest("keepalive@openssh.com", true, nil)
		t.Stop()
		if err != nil {
			return
		}
	}
}

// framesPerSecond is half of what the host's own screen gets: a line adds more to
// the time that a key takes.
const framesPerSecond = 15

// guardedModel keeps a panic from printing a stack on the host's terminal: the
// program ends, and its session says so. And it takes turns with the other
// sessions, which news reaches all at once, so that they leave processors to
// whatever receives.
type guardedModel struct {
	tea.Model
	turns    chan struct{} // has room for those whose turn it is
	panicked atomic.Pointer[any]
	quit     func() // ends the program
}

func (g *guardedModel) recover() {
	if r := recover(); r != nil && g.panicked.CompareAndSwap(nil, &r) {
		go g.quit() // it takes the loop that has panicked
	}
}

func (g *guardedModel) turn() (done func()) {
	g.turns <- struct{}{}
	return func() { <-g.turns }
}

func (g *guardedModel) Init() (cmd tea.Cmd) {
	defer g.recover()
	return g.guard(g.Model.Init())
}

func (g *guardedModel) Update(msg tea.Msg) (m tea.Model, cmd tea.Cmd) {
	m = g
	defer g.turn()()
	defer g.recover()
	if g.panicked.Load() != nil {
		return g, nil
	}
	next, c := g.Model.Update(msg)
	g.Model = next
	return g, g.guard(c)
}

func (g *guardedModel) View() (v tea.View) {
	defer g.turn()()
	defer g.recover()
	if g.panicked.Load() != nil {
		return v
	}
	return g.Model.View()
}

func (g *guardedModel) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer g.recover()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = g.guard(batch[i])
			}
		}
		return msg
	}
}

var _ net.Conn = (*conn)(nil)
