package ssh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"

	"aspectop/model"
)

// Exit statuses that a client's ssh ends with.
const (
	statusFailed = 1
	statusUsage  = 2
)

// Client is a client's terminal.
type Client struct {
	NoColor bool // wants none
	ASCII   bool // its locale has nothing else
	// Window is the size of its terminal, of which less may be drawn. Only a
	// screen has it.
	Window func() (width, height int)
}

func (s *Server) handle(sess ssh.Session) {
	c := connOf(sess.Context())
	c.begin()
	defer c.end()
	defer func() {
		if r := recover(); r != nil {
			s.crashed(sess, r)
		}
	}()
	pty, resized, terminal := sess.Pty()
	sizes := newest(resized)
	grant := grantOf(sess.Context())
	command, problem := strings.TrimPrefix(sess.RawCommand(), "-- "), ""
	switch {
	case command == "--json" || command == "--plain":
	case command != "":
		problem = "no commands here; ssh -t HOST shows the screen, ssh HOST -- --plain or --json prints lines"
	case !terminal && !grant.Terminal:
		problem = "this key gets no terminal; ssh HOST -- --plain or --json prints lines"
	case !terminal:
		problem = "no terminal to draw on; ssh -t HOST asks for one, ssh HOST -- --plain or --json prints lines"
	}
	if problem != "" {
		refuse(sess, statusUsage, problem)
		return
	}

	ctx, end := context.WithCancelCause(sess.Context())
	defer end(nil)
	defer context.AfterFunc(s.ctx, func() { end(context.Cause(s.ctx)) })()
	v := &viewer{
		Viewer: model.Viewer{Name: grant.Name, Address: host(sess.RemoteAddr()), Since: time.Now().UTC()},
		key:    sess.PublicKey(), from: sess.RemoteAddr(), end: end,
	}
	if err := s.join(v); err != nil {
		refuse(sess, statusFailed, err.Error())
		return
	}
	s.report(v, false)
	defer s.leave(v)
	go s.keepAlive(ctx, sess)

	var err error
	if sess.RawCommand() == "" && pty.Term != "dumb" && pty.Term != "" {
		err = s.screen(ctx, end, sess, sizes)
	} else {
		err = s.lines(ctx, end, sess, command == "--json", terminal)
	}
	if err == nil && ctx.Err() != nil && context.Cause(ctx) != errClosing && sess.Context().Err() == nil {
		err = context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, errLeft) {
		refuse(sess, statusFailed, err.Error())
	}
	sess.Exit(0) // before leave, after which the connection may be closed
}

// errLeft is why a session ends whose client has pressed a key for that.
var errLeft = errors.New("left")

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

// clientOf reads the client's variables. env is for Bubble Tea.
func clientOf(sess ssh.Session) (c Client, env []string) {
	for _, e := range sess.Environ() {
		switch name, value, _ := strings.Cut(e, "="); name {
		case "NO_COLOR":
			c.NoColor = value != ""
			continue // Bubble Tea parses it as a boolean, but by convention any value counts
		case "LANG":
			utf8 := strings.ReplaceAll(strings.ToLower(value), "-", "")
			c.ASCII = value != "" && !strings.Contains(utf8, "utf8")
		}
		env = append(env, e)
	}
	pty, _, _ := sess.Pty()
	return c, append(env, "TERM="+pty.Term)
}

// lines prints until the client leaves.
func (s *Server) lines(ctx context.Context, end context.CancelCauseFunc, sess ssh.Session, json, terminal bool) error {
	in := s.input(end, sess)
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
	return s.config.Lines(ctx, &output{sess, s.config.limits.stall, connOf(sess.Context())}, json, terminal)
}

// output closes the connection of a client that does not read for too long.
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

// input ends a session in which no key is pressed for too long.
type input struct {
	io.Reader
	timer *time.Timer
	idle  time.Duration
}

func (s *Server) input(end context.CancelCauseFunc, sess ssh.Session) *input {
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

// keepAlive closes the connection if the client does not answer in time: a suspended
// client or a dead line would otherwise be noticed only when all buffers are full.
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
