package ssh

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"charm.land/ssh"
)

// sendBuffer is how many bytes wait in the kernel for a client that does not
// read.
const sendBuffer = 128 << 10

// refusalPace is the least time between two notices of refused keys: strangers
// decide how many there are.
const refusalPace = 10 * time.Second

// conn is one connection. It is ended if no session begins in time, before or
// after logging in, and if the client does not take what is written.
type conn struct {
	net.Conn
	server *Server
	group  string // of addresses that are counted as one

	mu       sync.Mutex // guards what follows
	timer    *time.Timer
	loggedIn bool
	closed   bool
	channels int
	running  int    // sessions
	stranger string // fingerprint of the last key that was refused
}

type connKey struct{}

func connOf(ctx ssh.Context) *conn { return ctx.Value(connKey{}).(*conn) }

// connected takes a new connection, or refuses it by returning nil. If too many
// have not logged in, the oldest of them goes: a login takes a fraction of a
// second, so those who mean it are hardly ever hit.
func (s *Server) connected(ctx ssh.Context, nc net.Conn) net.Conn {
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	l := s.config.limits
	c := &conn{Conn: nc, server: s, group: group(nc.RemoteAddr())}
	s.mu.Lock()
	same := 0
	for _, o := range s.halfOpen {
		if o.group == c.group {
			same++
		}
	}
	// Somebody beyond the number of sessions is told so, for which it takes a
	// connection.
	if s.closed || same >= l.perHost || s.loggedIn >= 2*s.config.Sessions+l.perHost {
		s.mu.Unlock()
		return nil
	}
	var oldest *conn
	if len(s.halfOpen) >= l.halfOpen {
		oldest = s.halfOpen[0]
	}
	s.halfOpen = append(s.halfOpen, c)
	s.mu.Unlock()
	if oldest != nil {
		oldest.Close()
	}
	c.mu.Lock()
	c.timer = time.AfterFunc(l.login, func() { c.Close() })
	c.mu.Unlock()
	ctx.SetValue(connKey{}, c)
	return c
}

// group is the address, or an IPv6 address's network of 64 bits, which is what
// one household has.
func group(a net.Addr) string {
	ip, err := netip.ParseAddr(host(a))
	if err != nil || ip.Is4() {
		return host(a)
	}
	p, _ := ip.WithZone("").Prefix(64)
	return p.String()
}

// enter is called when the client has logged in.
func (c *conn) enter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loggedIn || c.closed {
		return
	}
	c.loggedIn = true
	c.timer.Reset(c.server.config.limits.login)
	c.server.entered(c)
}

func (s *Server) entered(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halfOpen = slices.DeleteFunc(s.halfOpen, func(o *conn) bool { return o == c })
	s.loggedIn++
}

// refused remembers a key that is not listed. An agent offers several, and the
// next one may be.
func (c *conn) refused(fingerprint string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stranger = fingerprint
}

// begin and end count the sessions.
func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running++
	c.timer.Stop()
}

func (c *conn) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running--; c.running == 0 && !c.closed {
		c.timer.Reset(c.server.config.limits.login)
	}
}

// opened counts a channel, unless there are too many.
func (c *conn) opened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.channels >= c.server.config.limits.channels {
		return false
	}
	c.channels++
	return true
}

func (c *conn) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.channels--
}

// Write fails if the client does not take the bytes in time.
func (c *conn) Write(p []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(c.server.config.limits.stall))
	return c.Conn.Write(p)
}

// SetDeadline is not for others: the timer and Write bound the connection.
func (c *conn) SetDeadline(time.Time) error { return nil }

// Close may be called more than once.
func (c *conn) Close() error {
	c.mu.Lock()
	closed, loggedIn, stranger := c.closed, c.loggedIn, c.stranger
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
	}
	c.mu.Unlock()
	if !closed {
		c.server.gone(c, loggedIn, stranger)
	}
	return c.Conn.Close()
}

// gone takes a closed connection out of the count, and tells of a key that did
// not get in.
func (s *Server) gone(c *conn, loggedIn bool, stranger string) {
	now := time.Now()
	s.mu.Lock()
	if loggedIn {
		s.loggedIn--
	} else {
		s.halfOpen = slices.DeleteFunc(s.halfOpen, func(o *conn) bool { return o == c })
	}
	tell := !loggedIn && stranger != "" && now.Sub(s.warned) >= refusalPace
	if tell {
		s.warned = now
	}
	s.mu.Unlock()
	if tell {
		s.config.Notice("SSH: " + host(c.RemoteAddr()) + " was refused: its key is not listed (" + stranger + ")")
	}
}
