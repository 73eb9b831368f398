package receiver

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"aspectop/broadcast"
)

const (
	// headerGrace and bodyGrace are how long a connection may take for a header, and
	// for a body, before it has to make room for a new one. One that has sent
	// everything needs them too: under load it is read late.
	headerGrace = 200 * time.Millisecond
	bodyGrace   = 500 * time.Millisecond

	// When more than crowd connections were open and nearly all have been gone for
	// quietTime, their memory is returned to the system: the runtime would keep it
	// for minutes.
	crowd     = maxConnections / 4
	quietTime = 5 * time.Second
)

// slots is a listener that limits how many connections are open. When all slots
// are taken, a new connection takes the slot of the one that has been idle, or
// sending its header, for longest, if for longer than headerGrace; or else of the
// one that has been sending its body for longest, if for longer than bodyGrace. So
// clients that hold connections cannot keep deliveries out. A request whose body
// has arrived keeps its connection until it is answered.
//
// Only one goroutine may call Accept.
type slots struct {
	net.Listener
	most     int
	foreign  func(protocol) // called once a connection that begins with what is no HTTP/1
	answered func(string)   // called with the status of each answer that is net/http's own
	freed    chan struct{}  // there may be a free slot now
	closed   context.Context
	close    context.CancelFunc
	giveBack *time.Timer

	mu      sync.Mutex // guards what follows, and the slots
	taken   []*slot
	short   bool // Accept needs a slot
	crowded bool
}

func newSlots(l net.Listener, most int, foreign func(protocol), answered func(string)) *slots {
	s := &slots{Listener: l, most: most, foreign: foreign, answered: answered, freed: make(chan struct{}, 1)}
	s.closed, s.close = context.WithCancel(context.Background())
	s.giveBack = time.AfterFunc(time.Hour, debug.FreeOSMemory)
	s.giveBack.Stop()
	return s
}

type slot struct {
	net.Conn
	of    *slots
	at    int // index in of.taken, -1 if it has lost its slot
	phase phase
	since time.Time
	// Used by one goroutine at a time:
	begun   bool // something was read
	handled bool // the newest request has come to the handler
}

// Read closes a connection that begins with another protocol. Only what the first read
// brings is looked at, so that nothing waits for more.
func (c *slot) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.begun && n > 0 {
		c.begun = true
		if p := protocolOf(b[:n]); p != nil {
			c.of.foreign(*p)
			_ = c.Close()
			return 0, io.EOF
		}
	}
	return n, err
}

// Write notices what net/http answers by itself, to what is no valid request.
func (c *slot) Write(b []byte) (int, error) {
	if status, is := bytes.CutPrefix(b, []byte("HTTP/1.1 ")); is && !c.handled {
		status, _, _ = bytes.Cut(status, []byte("\r\n"))
		c.of.answered(string(status))
	}
	return c.Conn.Write(b)
}

type phase int

const (
	waiting phase = iota // for a request, or for the end of its header
	sending              // a body
	keeping              // the body has arrived
)

func (s *slots) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	own := &slot{Conn: c, of: s, since: time.Now()}
	for {
		victim, again := s.room(own)
		if victim != nil {
			victim.Close()
		}
		if again == 0 {
			return own, nil
		}
		select {
		case <-s.freed:
		case <-time.After(again):
		case <-s.closed.Done():
			c.Close()
			return nil, net.ErrClosed
		}
	}
}

// Close stops listening. Connections stay open.
func (s *slots) Close() error {
	s.close()
	return s.Listener.Close()
}

// room gives own a slot, and returns the connection that must be closed for it, if
// any. If there is no slot, it returns when to look again at the latest.
func (s *slots) room(own *slot) (victim *slot, again time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.taken) == s.most {
		victim, again = s.overdue()
		if s.short = victim == nil; s.short {
			return nil, again
		}
		s.remove(victim)
	}
	s.short = false
	own.at = len(s.taken)
	s.taken = append(s.taken, own)
	if len(s.taken) > crowd {
		s.crowded = true
		s.giveBack.Stop()
	}
	return victim, 0
}

// overdue returns the connection that has to make room, or nil and how long it takes
// until there may be one.
func (s *slots) overdue() (victim *slot, again time.Duration) {
	again = bodyGrace
	for phase, grace := range [...]time.Duration{waiting: headerGrace, sending: bodyGrace} {
		var oldest *slot
		for _, c := range s.taken {
			if int(c.phase) == phase && (oldest == nil || c.since.Before(oldest.since)) {
				oldest = c
			}
		}
		if oldest == nil {
			continue
		}
		left := grace - time.Since(oldest.since)
		if left <= 0 {
			return oldest, 0
		}
		again = min(again, left)
	}
	return nil, again
}

// remove frees the slot of c. The lock must be held.
func (s *slots) remove(c *slot) {
	last := len(s.taken) - 1
	s.taken[c.at] = s.taken[last]
	s.taken[c.at].at = c.at
	s.taken[last] = nil
	s.taken = s.taken[:last]
	c.at = -1
}

// wake wakes an Accept that waits for a slot. The lock must be held.
func (s *slots) wake() {
	if s.short {
		broadcast.Nudge(s.freed)
	}
}

func (c *slot) enter(p phase) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.phase, c.since = p, time.Now()
	c.of.wake()
}

func (c *slot) free() {
	s := c.of
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.at < 0 {
		return
	}
	s.remove(c)
	s.wake()
	if s.crowded && len(s.taken) <= crowd/8 {
		s.crowded = false
		s.giveBack.Reset(quietTime)
	}
}

// connState is called by net/http when the state of a connection changes. A connection
// becomes active when the whole header has arrived.
func connState(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateActive:
		c.(*slot).enter(sending)
	case http.StateIdle:
		c.(*slot).handled = false
		c.(*slot).enter(waiting)
	case http.StateClosed, http.StateHijacked:
		c.(*slot).free()
	}
}

type slotKey struct{}

func withSlot(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, slotKey{}, c)
}

// slotOf returns the slot of a request's connection; nil if it came by none.
func slotOf(ctx context.Context) *slot {
	own, _ := ctx.Value(slotKey{}).(*slot)
	return own
}
