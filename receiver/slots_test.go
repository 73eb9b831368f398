package receiver

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// closed reports whether the other end has closed the connection.
func closed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return err == io.EOF
}

func TestANewConnectionTakesTheSlotOfTheOneThatWaitedLongest(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		conns := make([]net.Conn, maxConnections)
		for i := range conns {
			conns[i] = p.dial()
			time.Sleep(time.Microsecond)
			switch {
			case i == 0: // after an answer it waits anew, so it is the youngest
				say(conns[i], r.raw("msg_0", "x"))
				if got := status(t, conns[i]); got != 204 {
					t.Fatalf("answered %d", got)
				}
			case i%2 == 0:
				say(conns[i], "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nsvix-id: m") // and no more
			}
		}
		say(conns[0], r.raw("msg_00", "x"))
		if got := status(t, conns[0]); got != 204 {
			t.Fatalf("answered %d", got)
		}
		for i := range 2 {
			conn := p.dial()
			say(conn, r.raw("msg_more", "x"))
			if got := status(t, conn); got != 204 {
				t.Errorf("answered %d, want 204", got)
			}
			if !closed(conns[i+1]) || closed(conns[i+2]) || closed(conns[0]) {
				t.Errorf("connection %d was not the one to go", i+1)
			}
			defer conn.Close()
		}
		for _, c := range conns {
			c.Close()
		}
	})
}

func TestAConnectionHasAMomentForItsHeader(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		conns := make([]net.Conn, maxConnections)
		for i := range conns {
			conns[i] = p.dial()
		}
		start := time.Now()
		conn := p.dial()
		say(conn, r.raw("msg_1", "x"))
		time.Sleep(headerGrace - 10*time.Millisecond)
		if closed(conns[0]) {
			t.Error("a connection was cut before its time was up")
		}
		if got := status(t, conn); got != 204 {
			t.Errorf("answered %d, want 204", got)
		}
		if took := time.Since(start); took > headerGrace+10*time.Millisecond {
			t.Errorf("a delivery waited %s", took)
		}
		for _, c := range append(conns, conn) {
			c.Close()
		}
	})
}

func TestASlowBodyMakesRoomSoon(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		conns := make([]net.Conn, maxConnections)
		for i := range conns {
			conns[i] = p.dial()
			say(conns[i], "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody")
			go io.Copy(io.Discard, conns[i])
		}
		start := time.Now()
		conn := p.dial()
		say(conn, r.raw("msg_1", "x"))
		if got := status(t, conn); got != 204 {
			t.Errorf("answered %d, want 204", got)
		}
		if took := time.Since(start); took > bodyGrace {
			t.Errorf("a delivery waited %s", took)
		}
		for _, c := range append(conns, conn) {
			c.Close()
		}
	})
}

func TestWhatIsBeingKeptIsNotCut(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		keep := make(chan struct{})
		r.journal.before = func(context.Context, *model.Delivery) error { <-keep; return nil }
		conns := make([]net.Conn, maxConnections)
		for i := range conns {
			conns[i] = p.dial()
			say(conns[i], r.raw("msg_1", "x"))
		}
		synctest.Wait()
		late := p.dial()
		say(late, r.raw("msg_2", "x"))
		time.Sleep(2 * bodyGrace)
		close(keep)
		for i, c := range append(conns, late) {
			if got := status(t, c); got != 204 {
				t.Fatalf("connection %d was answered %d, want 204", i, got)
			}
		}
		for _, c := range append(conns, late) {
			c.Close()
		}
	})
}
