package forward

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestAnAnswerOfTenGigabytesIsReadTo64KiB(t *testing.T) {
	written := make(chan int64, 1)
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		w.Header().Set("Content-Length", "10737418240")
		w.WriteHeader(404)
		piece, n := make([]byte, 1<<20), int64(0)
		for range 10 << 10 {
			k, err := w.Write(piece)
			n += int64(k)
			if err != nil {
				break
			}
		}
		written <- n
	})
	r := forwardTo(t, h.URL)
	d := message("t", 1)
	r.append(d)
	f := r.settled(d.Seq)
	if f.Status != 404 || len(f.Body) != 64<<10 || f.Tries != 1 {
		t.Errorf("status %d, %d tries, %d bytes kept", f.Status, f.Tries, len(f.Body))
	}
	select {
	case n := <-written:
		if n > 64<<20 {
			t.Errorf("the handler could write %d bytes", n)
		}
	case <-time.After(10 * time.Second):
		t.Error("the handler is still writing")
	}
}

func TestAnAnswerWhoseBodyNeverEndsCountsByItsStatus(t *testing.T) {
	answer := func(q *http.Request) (*http.Response, error) {
		a, err := reply(204)
		a.Body = io.NopCloser(io.MultiReader(strings.NewReader("start"), endless{q}))
		return a, err
	}
	inVirtualTime(t, answer, func(v *virtual) {
		d := message("t", 1)
		v.journal.append(d)
		time.Sleep(14 * time.Second)
		if f := v.journal.outcome(d.Seq); f.Tries != 0 {
			t.Errorf("before the time limit: %+v", f)
		}
		time.Sleep(2 * time.Second)
		if f := v.journal.outcome(d.Seq); !f.Delivered() || f.Tries != 1 || string(f.Body) != "start" {
			t.Errorf("%+v", f)
		}
	})
}

// endless is a body that says nothing until its request ends.
type endless struct{ *http.Request }

func (u endless) Read([]byte) (int, error) {
	<-u.Context().Done()
	return 0, u.Context().Err()
}

func TestHeadersOfAnAnswerAreBounded(t *testing.T) {
	h := newHandler(t, func(w http.ResponseWriter, _ request) {
		w.Header().Set("X-Much", strings.Repeat("x", 1<<20))
		w.WriteHeader(204)
	})
	r := forwardTo(t, h.URL)
	d := message("t", 1)
	r.append(d)
	until(t, "it was tried", func() bool { return r.outcome(d.Seq).Tries > 0 })
	if f := r.outcome(d.Seq); f.Status != 0 || f.Error == "" {
		t.Errorf("%+v", f)
	}
}

func TestAHandlerThatHangsUpInTheMiddleIsTriedAgain(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 4096)
			c.Read(buf)
			if n > 0 {
				c.Write([]byte("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"))
			}
			c.Close()
		}
	}()
	r := forwardTo(t, "http://"+l.Addr().String())
	d := message("t", 1)
	r.append(d)
	if f := r.settled(d.Seq); !f.Delivered() || f.Tries != 2 {
		t.Errorf("%+v", f)
	}
	told := forwards(r.status)
	if len(told) != 2 || told[0].Final || !strings.Contains(told[0].Hint, "crash") {
		t.Errorf("told %+v", told)
	}
}

func TestAQueueOf100000MessagesTakesBoundedMemory(t *testing.T) {
	inVirtualTime(t, silence, func(v *virtual) {
		one := message("", 0)
		one.Header = nil
		v.journal.mu.Lock()
		for n := range 100_000 {
			d := *one
			d.Seq, d.Message = int64(n+1), int64(n+1)
			v.journal.kept = append(v.journal.kept, d)
		}
		v.journal.changed = true
		v.journal.mu.Unlock()
		before := inUse()
		time.Sleep(time.Second)
		q := v.Queue()
		if open := q.Waiting + q.Retrying + q.InFlight; open < maxOpen || open > maxOpen+batch || !q.More {
			t.Errorf("%d messages are remembered: %+v", open, q)
		}
		if grown := inUse() - before; grown > 30<<20 {
			t.Errorf("%d MiB for the queue", grown>>20)
		} else {
			t.Logf("%d bytes for each message in a partition of its own", grown/maxOpen)
		}
	})
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
