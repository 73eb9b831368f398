package ssh

import (
	"net"
	"net/netip"
	"time"

	"charm.land/ssh"
)

const (
	sendBuffer  = 128 << 10        // bytes in the kernel for a client that does not read
	refusalPace = 10 * time.Second // least time between two notices of refused keys
)

// conn is one connection. It is closed if no session begins in time, before or after
// logging in, and if the client does not read.
type conn struct {
	net.Conn
	server *Server
	group  string // of addresses that are counted as one

	// Guarded by server.mu:
	timer      *time.Timer
	loggedIn   bool
	closed     bool
	channels   int
	running    int    // sessions
	refusedKey string // fingerprint of the last one
}

type connKey struct{}

func connOf(ctx ssh.Context) *conn { return ctx.Value(connKey{}).(*conn) }

// connected takes a new connection, or refuses it by returning nil. If too many have not
// logged in, the oldest of them is closed: a login takes a fraction of a second.
func (s *Server) connected(ctx ssh.Context, nc net.Conn) net.Conn {
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer)
	}
	l := s.config.limits
	c := &conn{Conn: nc, server: s, group: group(nc.RemoteAddr())}
	s.mu.Lock()
	defer s.mu.Unlock()
	same := 0
	for _, o := range s.halfOpen {
		if o.group == c.group {
			same++
		}
	}
	// More connections than sessions are accepted, to say that there are too many.
	if s.closed || same >= l.perHost || s.loggedIn >= 2*s.config.Sessions+l.perHost {
		return nil
	}
	if len(s.halfOpen) >= l.halfOpen {
		go s.halfOpen[0].Close() // it takes the lock
		s.halfOpen = s.halfOpen[1:]
	}
	s.halfOpen = append(s.halfOpen, c)
	c.timer = time.AfterFunc(l.login, func() { c.Close() })
	ctx.SetValue(connKey{}, c)
	return c
}

// group is the address, of IPv6 its network of 64 bits, which is what a household has.
func group(a net.Addr) string {
	ip, err := netip.ParseAddr(host(a))
	if err != nil || ip.Is4() {
		return host(a)
	}
	p, _ := ip.WithZone("").Prefix(64)
	return p.String()
}

func (c *conn) enter() {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.loggedIn || c.closed {
		return
	}
	c.loggedIn = true
	c.timer.Reset(s.config.limits.login)
	s.halfOpen = without(s.halfOpen, c)
	s.loggedIn++
}

// refused remembers a key that is not listed. An agent offers several: the next one may
// be.
func (c *conn) refused(fingerprint string) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.refusedKey = fingerprint
}

func (c *conn) begin() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.running++
	c.timer.Stop()
}

func (c *conn) end() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.running--; c.running == 0 && !c.closed {
		c.timer.Reset(c.server.config.limits.login)
	}
}

// opened counts a channel, unless there are too many.
func (c *conn) opened() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	if c.channels >= c.server.config.limits.channels {
		return false
	}
	c.channels++
	return true
}

func (c *conn) shut() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.channels--
}

// Write fails if the client does not read in time.
func (c *conn) Write(p []byte) (int, error) {
	c.Conn.SetWriteDeadline(time.Now().Add(c.server.config.limits.stall))
	return c.Conn.Write(p)
}

// SetDeadline does nothing: the timer and Write bound the connection.
func (c *conn) SetDeadline(time.Time) error { return nil }

// Close forgets the connection, and reports a key that was refused. It may be called more
// than once.
func (c *conn) Close() error {
	if key := c.forget(); key != "" {
		c.server.config.Notice("SSH: " + host(c.RemoteAddr()) + " was refused: its key is not listed (" + key + ")")
	}
	return c.Conn.Close()
}

// forget returns the fingerprint of a refused key to report, or "".
func (c *conn) forget() (refusedKey string) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.closed {
		return ""
	}
	c.closed = true
	c.timer.Stop()
	if c.loggedIn {
		s.loggedIn--
		return ""
	}
	s.halfOpen = without(s.halfOpen, c)
	if c.refusedKey != "" && time.Since(s.warned) >= refusalPace {
		s.warned = time.Now()
		return c.refusedKey
	}
	return ""
}
