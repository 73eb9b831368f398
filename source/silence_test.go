package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

// wire is a connection at the server's end.
type wire struct {
	net.Conn
	gone chan struct{} // closed when the client has closed it
}

// pause waits, unless the client goes.
func (w wire) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-w.gone:
	}
}

// bytesServer answers each connection as serve says, over pipes instead of TCP.
type bytesServer struct {
	mu    sync.Mutex
	asked []string // the Last-Event-ID of each connection
	open  int
	most  int // connections at once
	serve func(n int, conn wire)
}

func (b *bytesServer) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		req, err := http.ReadRequest(bufio.NewReader(far))
		if err != nil {
			return
		}
		b.mu.Lock()
		n := len(b.asked)
		b.asked = append(b.asked, req.Header.Get("Last-Event-Id"))
		b.open++
		b.most = max(b.most, b.open)
		b.mu.Unlock()
		gone := make(chan struct{})
		go func() {
			io.Copy(io.Discard, far)
			far.Close()
			b.mu.Lock()
			b.open--
			b.mu.Unlock()
			close(gone)
		}()
		b.serve(n, wire{far, gone})
		<-gone
	}()
	return near, nil
}

func (b *bytesServer) connections() (asked []string, open, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.asked), b.open, b.most
}

// overBytes reads a stream of raw bytes, in virtual time.
func overBytes(t *testing.T, serve func(n int, conn wire), test func(t *testing.T, b *bytesServer, j *memory, r *reports)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b, j, r := &bytesServer{serve: serve}, &memory{}, &reports{}
		client := &http.Client{Transport: &http.Transport{DialContext: b.dial, DisableKeepAlives: true, DisableCompression: true}}
		s, err := NewStream(StreamConfig{URL: "http://events.test/", Journal: j, History: historyOf(t, j), HTTP: client, Report: r.add})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, s.Run)
		synctest.Wait()
		test(t, b, j, r)
		stop()
	})
}

// numbered is the nth event; of a stream with ids, or of one without.
func numbered(n int, ids bool) string {
	text := "data: " + envelope(fmt.Sprint("e", n), "task.progress", task("a", time.Unix(1e9+int64(n), 0), "visual:queued")) + "\n\n"
	if ids {
		text = fmt.Sprintf("id: %d\n", n) + text
	}
	return text
}

func TestAHeadThatComesWithTheFirstEventIsWaitedFor(t *testing.T) {
	// As an Express server that does not flush: silent for 150 s, then an event each 5 s.
	var started time.Time
	overBytes(t, func(n int, conn wire) {
		if n == 0 {
			started = time.Now()
		}
		conn.pause(time.Until(started.Add(150*time.Second + time.Duration(n)*time.Millisecond))) // the first comes first
		io.WriteString(conn, head)
		for i := range 15 {
			if _, err := io.WriteString(conn, numbered(i, false)); err != nil {
				return
			}
			conn.pause(5 * time.Second)
		}
	}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
		pass(29 * time.Second)
		if n := len(r.notices()); n != 0 {
			t.Errorf("after 29 s it said %q", r.notices())
		}
		pass(2 * time.Second)
		const waits = "the event stream: no answer yet from events.test: a proxy may be buffering it until there are events; waiting"
		if got := r.notices(); !slices.Equal(got, []string{waits}) || r.last().State != Connecting {
			t.Errorf("after 31 s it said %q", got)
		}
		pass(4 * time.Minute)
		if n := len(j.deliveries()); n != 15 {
			t.Errorf("%d of 15 events", n)
		}
		if _, open, most := b.connections(); open != 1 || most != 2 {
			t.Errorf("%d connections are open, of %d", open, most)
		}
		if got := r.notices(); len(got) != 2 || r.last().State != OK {
			t.Errorf("it said %q, and reports %+v", got, r.last())
		}
	})
}

func TestAHeadWithoutAByteIsToldOnce(t *testing.T) {
	overBytes(t, func(n int, conn wire) {
		io.WriteString(conn, head)
		conn.pause(time.Hour)
	}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
		pass(50 * time.Minute)
		want := []string{"the event stream: connected to events.test",
			"the event stream: connected to events.test, no byte yet: if events are due, a proxy may be buffering them"}
		if got := r.notices(); !slices.Equal(got, want) {
			t.Errorf("it said %q, want %q", got, want)
		}
		if asked, open, _ := b.connections(); len(asked) != 2 || open != 2 {
			t.Errorf("%d connections, %d open", len(asked), open)
		}
	})
}

func TestASilentConnectionIsReadOnBesideASecondOne(t *testing.T) {
	// 91 s of silence, then 9 s of an event each 250 ms, on all connections, without ids.
	const period, silence, each = 100 * time.Second, 91 * time.Second, 250 * time.Millisecond
	for name, c := range map[string]struct {
		dead   bool // the first connection, from its beginning on
		missed bool
	}{"both live": {}, "the first is dead": {true, true}} {
		t.Run(name, func(t *testing.T) {
			var base time.Time
			overBytes(t, func(n int, conn wire) {
				if n == 0 {
					base = time.Now()
				}
				io.WriteString(conn, head)
				if c.dead && n == 0 {
					conn.pause(time.Hour)
					return
				}
				for i := int(time.Since(base) / each); ; i++ {
					if at := base.Add(time.Duration(i) * each); at.Sub(base)%period >= silence {
						conn.pause(time.Until(at.Add(time.Duration(n) * time.Millisecond))) // the first comes first
						if _, err := io.WriteString(conn, numbered(i, false)); err != nil {
							return
						}
					} else if i > 100_000 {
						return
					}
				}
			}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
				pass(89 * time.Second)
				if asked, _, _ := b.connections(); len(asked) != 1 {
					t.Errorf("%d connections before the time", len(asked))
				}
				pass(1500 * time.Millisecond)
				if asked, open, _ := b.connections(); len(asked) != 2 || open != 2 {
					t.Errorf("%d connections, %d open", len(asked), open)
				}
				pass(time.Second)
				if _, open, _ := b.connections(); open != 1 {
					t.Errorf("%d are open after the first event", open)
				}
				pass(109 * time.Second)
				if n := len(j.deliveries()); n != 72 {
					t.Errorf("%d of 72 events", n)
				}
				if said := strings.Contains(fmt.Sprint(r.notices()), "may have been missed"); said != c.missed {
					t.Errorf("it said %q", r.notices())
				}
				if _, _, most := b.connections(); most != 2 {
					t.Errorf("%d connections at once", most)
				}
			})
		})
	}
}

func TestTheOtherConnectionGoesOnWhenOneEnds(t *testing.T) {
	overBytes(t, func(n int, conn wire) {
		io.WriteString(conn, head+":\n")
		conn.pause(time.Until(time.Date(2000, 1, 1, 0, 2, 0, 0, time.UTC)))
		if n == 1 {
			conn.Close()
			return
		}
		conn.pause(10 * time.Second)
		io.WriteString(conn, numbered(1, true))
	}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
		pass(121 * time.Second)
		if asked, open, _ := b.connections(); len(asked) != 2 || open != 1 || r.last().State != OK {
			t.Errorf("%d connections, %d open, reports %+v", len(asked), open, r.last())
		}
		pass(20 * time.Second)
		if asked, _, _ := b.connections(); len(asked) != 2 || len(j.deliveries()) != 1 {
			t.Errorf("%d connections, %d events", len(asked), len(j.deliveries()))
		}
	})
}

func TestTheAPIIsAskedForWhatAStreamWithoutIDsMayHaveMissed(t *testing.T) {
	for _, ids := range []bool{false, true} {
		asked := 0
		stream(t, func(t *testing.T, s *streaming) {
			for i := range 5 {
				s.send(numbered(i, ids))
				s.end()
				pass(4 * time.Second)
			}
			const is = "the event stream: events since 00:00:00, when a connection ended, may have been missed, as the stream has no ids to go on from; asking Aspect's API for its tasks"
			told := slices.Contains(s.reports.notices(), is) && len(s.reports.notices()) == 2
			if ids && (told || asked > 0) || !ids && (!told || asked != 5) {
				t.Errorf("ids: %v; asked %d times and said %q", ids, asked, s.reports.notices())
			}
		}, func(s *streaming) { s.gap = func() { asked++ } })
	}
}

// The bytes are those that servers and what stands before them send.
func TestBytesOfAllKindsAreReadAsTheyCome(t *testing.T) {
	body := func(n int) string {
		return envelope(fmt.Sprint("e", n), "task.progress", task("a", time.Unix(1e9, 0), "visual:queued"))
	}
	lines := func(end string) string {
		var text string
		for i := range 3 {
			whole := body(i)
			text += fmt.Sprintf("id: %d%sevent: task%sdata: %s%sdata: %s%s%s", i, end, end, whole[:1], end, whole[1:], end, end)
		}
		return text
	}
	whole := func(conn net.Conn, text string) { io.WriteString(conn, text) }
	bytewise := func(conn net.Conn, text string) {
		for i := range len(text) {
			if _, err := conn.Write([]byte{text[i]}); err != nil {
				return
			}
		}
	}
	chunked := "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;charset=UTF-8\r\nTransfer-Encoding: chunked\r\n\r\n"
	inChunks := func(text string) (all string) {
		for i := range len(text) {
			all += fmt.Sprintf("1\r\n%c\r\n", text[i])
		}
		return all
	}
	for name, c := range map[string]struct {
		send func(net.Conn, string)
		text string
	}{
		"LF":                    {whole, head + lines("\n")},
		"CR":                    {whole, head + lines("\r")},
		"CRLF":                  {whole, head + lines("\r\n")},
		"BOM":                   {whole, head + "\uFEFF" + lines("\n")},
		"one byte a segment":    {bytewise, head + lines("\r\n")},
		"one byte a chunk":      {whole, chunked + inChunks(lines("\r"))},
		"comments and a retry":  {whole, head + ":ok\n\nretry: 1000\n" + lines("\n") + ": ping\n\n"},
		"an identity coding":    {whole, strings.Replace(head, "\r\n\r\n", "\r\nContent-Encoding: identity\r\n\r\n", 1) + lines("\n")},
		"HTTP/1.0, no charset":  {whole, strings.Replace(head, "1.1", "1.0", 1) + lines("\n")},
		"each of them repeated": {whole, head + lines("\n") + lines("\n")},
	} {
		overBytes(t, func(n int, conn wire) {
			c.send(conn.Conn, c.text)
			conn.pause(time.Minute)
		}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
			pass(time.Second)
			if n := len(j.deliveries()); n != 3 || r.last().State != OK {
				t.Errorf("%s: %d of 3 events; reports %+v", name, n, r.last())
			}
		})
	}
}

func TestWhatIsNoStreamIsAskedAgainWhenItSays(t *testing.T) {
	for _, c := range []struct {
		answer string
		cause  string
		wait   time.Duration
	}{
		{"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 40\r\nContent-Length: 0\r\n\r\n", "429 Too Many Requests", 40 * time.Second},
		{"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 40\r\nContent-Length: 0\r\n\r\n", "503 Service Unavailable", 40 * time.Second},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", `"text/html" instead of an event stream`, 3 * time.Second},
		{"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b", `Content-Encoding "gzip"`, 3 * time.Second},
		{"garbage\r\n\r\n", "no answer from events.test", 3 * time.Second},
	} {
		overBytes(t, func(n int, conn wire) {
			if n == 0 {
				io.WriteString(conn, c.answer)
				conn.Close()
				return
			}
			io.WriteString(conn, head+numbered(1, true))
			conn.pause(time.Minute)
		}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
			if got := r.last(); got.State != Trouble || !strings.Contains(got.Detail, c.cause) {
				t.Errorf("%s: reports %+v", c.cause, got)
			}
			pass(c.wait * 8 / 10)
			if asked, _, _ := b.connections(); len(asked) != 1 {
				t.Errorf("%s: it came back before %v", c.cause, c.wait)
			}
			pass(c.wait * 4 / 10)
			if len(j.deliveries()) != 1 || r.last().State != OK {
				t.Errorf("%s: %d events; reports %+v", c.cause, len(j.deliveries()), r.last())
			}
		})
	}
}

// A journal that is slow makes the server wait, and no second connection is opened.
func TestASlowJournalHoldsTheServerUpInBoundedMemory(t *testing.T) {
	large := "data: {\"event_type\":\"x\",\"event_id\":\"%d\",\"data\":\"" + strings.Repeat("x", 100_000) + "\"}\n\n"
	var mu sync.Mutex
	sent := 0
	overBytes(t, func(n int, conn wire) {
		io.WriteString(conn, head)
		for i := range 200 {
			if _, err := fmt.Fprintf(conn, large, i); err != nil {
				return
			}
			mu.Lock()
			sent++
			mu.Unlock()
		}
		conn.pause(24 * time.Hour)
	}, func(t *testing.T, b *bytesServer, j *memory, r *reports) {
		synctest.Wait()
		if n := len(j.deliveries()); n != 200 {
			t.Errorf("%d of 200 events", n)
		}
	})
	sent = 0
	synctest.Test(t, func(t *testing.T) {
		b, j, r := &bytesServer{}, &memory{full: errors.New("no space left on device")}, &reports{}
		b.serve = func(n int, conn wire) {
			io.WriteString(conn, head)
			for i := range 200 {
				if _, err := fmt.Fprintf(conn, large, i); err != nil {
					return
				}
				mu.Lock()
				sent++
				mu.Unlock()
			}
			conn.pause(24 * time.Hour)
		}
		client := &http.Client{Transport: &http.Transport{DialContext: b.dial, DisableKeepAlives: true}}
		s, err := NewStream(StreamConfig{URL: "http://events.test/", Journal: j, History: historyOf(t, j), HTTP: client, Report: r.add})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, s.Run)
		pass(10 * time.Minute)
		mu.Lock()
		if sent == 0 || sent > 2*maxQueued/100_000 {
			t.Errorf("%d events of 100 KB are held", sent)
		}
		mu.Unlock()
		j.setFull(nil)
		pass(time.Minute)
		if asked, _, _ := b.connections(); len(j.deliveries()) != 200 || len(asked) != 1 {
			t.Errorf("%d of 200 events over %d connections", len(j.deliveries()), len(asked))
		}
		stop()
	})
}
