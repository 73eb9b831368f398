package receiver

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// bodyGrace is how long a connection may take over a body before it has to make
// room for a new one.
const bodyGrace = time.Second

const (
	// When more connections than crowd have been open, and nearly all are gone
	// for quietTime, the memory that they took is given back to the system. The
	// runtime would keep most of it for minutes.
	crowd     = maxConnections / 4
	quietTime = 5 * time.Second
)

// slots is a listener with room for so many connections at a time. When all
// slots are taken, a new connection gets that of the oldest one that is idle or
// has not sent its whole header, or else of the one that has been sending its
// body for longest, if that is longer than [bodyGrace]. So strangers who hold
// connections cannot keep deliveries out. A request whose body has arrived keeps
// its connection until it is answered.
type slots struct {
	net.Listener
	most int

	mu    sync.Mutex
	taken int
	// The connections by how long they have been in their phase, longest first.
	// Those whose body has arrived are in none.
	waiting, sending list.List

	crowded  bool
	giveBack *time.Timer

	freed  chan struct{} // a slot is free, or may be taken from another
	closed chan struct{}
	once   sync.Once
}

func newSlots(l net.Listener, most int) *slots {
	s := &slots{Listener: l, most: most, freed: make(chan struct{}, 1), closed: make(chan struct{})}
	s.giveBack = time.AfterFunc(time.Hour, debug.FreeOSMemory)
	s.giveBack.Stop()
	return s
}

// slot is a connection. Its fields are guarded by slots.mu.
type slot struct {
	net.Conn
	of    *slots
	since time.Time  // when its phase began
	in    *list.List // that it is in, or nil
	at    *list.Element
	gone  bool // its slot is free
}

func (s *slots) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	for {
		victim, again := s.room()
		if victim != nil {
			victim.Close()
		}
		if again == 0 {
			break
		}
		select {
		case <-s.freed:
		case <-time.After(again):
		case <-s.closed:
			c.Close()
			return nil, net.ErrClosed
		}
	}
	own := &slot{Conn: c, of: s}
	own.enter(&s.waiting)
	return own, nil
}

// Close stops listening. Connections stay open.
func (s *slots) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.Listener.Close()
}

// room takes a slot, and returns the connection that has to be closed for it, if
// any. If there is no room, it returns when to look again at the latest.
func (s *slots) room() (victim *slot, again time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken < s.most {
		s.taken++
		if s.taken > crowd && !s.crowded {
			s.crowded = true
			s.giveBack.Stop()
		}
		return nil, 0
	}
	oldest := s.waiting.Front()
	if oldest == nil {
		if oldest = s.sending.Front(); oldest == nil {
			return nil, bodyGrace
		}
		if left := bodyGrace - time.Since(oldest.Value.(*slot).since); left > 0 {
			return nil, left
		}
	}
	victim = oldest.Value.(*slot)
	victim.leave()
	victim.gone = true // and its slot is ours
	return victim, 0
}

// enter begins a phase: waiting or sending, or neither with nil.
func (c *slot) enter(phase *list.List) {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if c.gone {
		return
	}
	c.leave()
	if phase != nil {
		c.since = time.Now()
		c.in, c.at = phase, phase.PushBack(c)
		c.of.tell()
	}
}

// leave ends the phase. The lock must be held.
func (c *slot) leave() {
	if c.in != nil {
		c.in.Remove(c.at)
		c.in = nil
	}
}

// free gives the slot back.
func (c *slot) free() {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.gone {
		c.leave()
		c.gone = true
		c.of.taken--
		c.of.tell()
		if c.of.crowded && c.of.taken <= crowd/8 {
			c.of.crowded = false
			c.of.giveBack.Reset(quietTime)
		}
	}
}

// tell wakes an Accept that waits for room.
func (s *slots) tell() {
	select {
	case s.freed <- struct{}{}:
	default:
	}
}

// follow is what net/http calls when the state of a connection changes. It calls
// a connection active when the whole header has arrived.
func follow(c net.Conn, state http.ConnState) {
	own, ok := c.(*slot)
	if !ok {
		return
	}
	switch state {
	case http.StateActive:
		own.enter(&own.of.sending)
	case http.StateIdle:
		own.enter(&own.of.waiting)
	case http.StateClosed, http.StateHijacked:
		own.free()
	}
}

type slotKey struct{}

// withSlot lets the requests of a connection find its slot.
func withSlot(ctx context.Context, c net.Conn) context.Context {
	if own, ok := c.(*slot); ok {
		return context.WithValue(ctx, slotKey{}, own)
	}
	return ctx
}

// whileKept protects the connection of a request while f runs.
func whileKept(ctx context.Context, f func() error) error {
	own, _ := ctx.Value(slotKey{}).(*slot)
	if own == nil {
		return f()
	}
	own.enter(nil)
	defer own.enter(&own.of.sending)
	return f()
}
