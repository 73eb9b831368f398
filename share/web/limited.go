package web

import (
	"io"
	"log"
	"net"
	"sync"
)

// limited is a listener that has so many connections open at once; further ones
// are closed at once, so that whoever holds many keeps nobody waiting.
type limited struct {
	net.Listener
	slots chan struct{}
}

// unread is how many bytes the system holds for a client that does not read them.
const unread = 128 << 10

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			if tcp, ok := c.(*net.TCPConn); ok {
				tcp.SetWriteBuffer(unread)
			}
			return &slotted{Conn: c, give: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			c.Close()
		}
	}
}

// slotted is a connection that gives its slot back when it is closed.
type slotted struct {
	net.Conn
	give func()
}

func (c *slotted) Close() error {
	defer c.give()
	return c.Conn.Close()
}

// quiet is where net/http tells of clients that misbehave. They are nobody's
// concern, and what they send must not reach a terminal.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
