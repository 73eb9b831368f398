package receiver

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestManyLargeBodiesAtOnceAreHeldBackAndDeliveriesStillPass(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		const strangers = 200
		garbage := make([]byte, MaxBody-1) // all but the last byte: it stays until the time is up
		before := heap()
		conns := make([]net.Conn, strangers)
		for i := range conns {
			conns[i] = p.dial()
			say(conns[i], "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: "+
				strconv.Itoa(MaxBody)+"\r\n\r\n")
			synctest.Wait()
			go func() { _, _ = conns[i].Write(garbage) }()
			synctest.Wait()
		}
		if grown := heap() - before; grown > maxLarge*MaxBody+strangers*(smallBody+40<<10) {
			t.Errorf("%d bodies of 1 MiB take %d MiB", strangers, grown>>20)
		}
		// Meanwhile a usual delivery has room.
		conn := p.dial()
		say(conn, r.raw("msg_1", strings.Repeat("x", smallBody)))
		if got := status(t, conn); got != 204 {
			t.Errorf("a delivery meanwhile was answered %d, want 204", got)
		}
		_ = conn.Close()
		answers := make(map[int]int)
		for i, c := range conns {
			if i < maxLarge {
				say(c, "g") // the last byte
			}
			answers[status(t, c)]++
			_ = c.Close()
		}
		// Those that had room are judged, as many others take their room until
		// they are cut, and the rest may come again.
		if answers[400] != 2*maxLarge || answers[503] != strangers-2*maxLarge {
			t.Errorf("answered %v", answers)
		}
		if got := r.notices(); len(got) == 0 || !strings.Contains(got[0], errBusy.Error()) {
			t.Errorf("told %q", got)
		}
	})
}

func TestGarbageDoesNotPileUpInMemory(t *testing.T) {
	r := newRig(t)
	q := func(i int) *http.Request {
		q := r.signed(fmt.Sprint("msg_", i), strings.Repeat("g", 20_000))
		q.Header.Set("svix-signature", "v1,"+strings.Repeat("A", 20_000))
		return q
	}
	empty := heap()
	for i := range 1000 { // fills the status log
		r.do(t, q(i))
	}
	before := heap()
	for i := range 2000 {
		r.do(t, q(i))
	}
	if grown := heap() - before; grown > 1<<20 {
		t.Errorf("2000 rejected requests made the heap grow by %d KiB", grown>>10)
	}
	if held := before - empty; held > 1000*(16<<10) {
		t.Errorf("1000 rejected requests take %d KiB", held>>10)
	}
}
