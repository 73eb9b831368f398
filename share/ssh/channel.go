package ssh

import (
	"context"
	"slices"
	"time"

	"charm.land/ssh"
	gossh "golang.org/x/crypto/ssh"
)

// environment are the variables that a client may set; TERM comes with the terminal.
var environment = []string{"COLORTERM", "COLORFGBG", "NO_COLOR", "LANG"}

// maxVariable is the greatest length of a variable and its value, in bytes.
const maxVariable = 64

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

// narrowChannel passes on the requests that a screen and lines need.
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
				ok = started // before, it has no receiver
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
	return gossh.Unmarshal(payload, &v) == nil && len(payload) <= maxVariable && slices.Contains(environment, v.Name)
}
