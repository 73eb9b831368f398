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

// Client is what a client says of its terminal.
type Client struct {
	NoColor bool // wants none
	ASCII   bool // its locale has nothing else
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

	client, env := clientOf(sess)
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
func clientOf(sess ssh.Session) (c Client, env []string) {
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
