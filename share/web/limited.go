package web

import (
	"net"
	"sync"
)

// limited is a listener that closes connections beyond a number at once, so that a client
// that holds many keeps no other waiting.
type limited struct {
	net.Listener
	slots chan struct{}
}

// unread is how many bytes the kernel holds for a client that does not read them.
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
