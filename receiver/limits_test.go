package receiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

// pipes is a listener on connections in memory, for tests under a fake clock.
type pipes struct {
	waiting chan net.Conn
	closed  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8787} }

// dial waits until the connection is accepted.
func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.waiting <- server
	return client
}

// serve runs f beside the serving rig under a fake clock, and shuts it down.
func serve(t *testing.T, f func(t *testing.T, r *rig, p *pipes)) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		p := &pipes{waiting: make(chan net.Conn), closed: make(chan struct{})}
		served := make(chan error)
		go func() { served <- r.Serve(p) }()
		f(t, r, p)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_ = r.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v after Shutdown, want nil", err)
		}
	})
}

// say writes without waiting for the other end to read.
func say(c net.Conn, text string) {
	go func() { _, _ = io.WriteString(c, text) }()
}

// hear returns all that comes until the connection is closed, and how long that took.
func hear(t *testing.T, c net.Conn) (text string, took time.Duration) {
	t.Helper()
	start := time.Now()
	all, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
	}
	return string(all), time.Since(start)
}

func status(t *testing.T, c net.Conn) int {
	t.Helper()
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Errorf("reading the answer: %v", err)
		return 0
	}
	_, _ = io.Copy(io.Discard, a.Body)
	return a.StatusCode
}

func TestSlowClientsAreCutAfterTenSeconds(t *testing.T) {
	for _, c := range []struct{ name, sent, answered string }{
		{"that send nothing", "", ""},
		{"in the middle of the request line", "POST /webh", "400 Bad Request"},
		{"in the middle of the header", "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nsvix-id: m", ""},
		{"in the middle of the body", "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody", "400 Bad Request"},
		{"in the middle of a chunk", "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nbody", "400 Bad Request"},
		{"in the header after an answer", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nPOST ", "200 OK"},
	} {
		t.Run(c.name, func(t *testing.T) {
			serve(t, func(t *testing.T, r *rig, p *pipes) {
				conn := p.dial()
				say(conn, c.sent)
				text, took := hear(t, conn)
				if took > readTimeout+time.Second || took < readTimeout {
					t.Errorf("cut after %s, want %s", took, readTimeout)
				}
				if !strings.Contains(text, c.answered) || c.answered == "" && text != "" {
					t.Errorf("answered %q, want %q", text, c.answered)
				}
			})
		})
	}
}

func TestTricklingClientIsCutAfterTenSecondsTooAndToldWhy(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		conn, stopped := p.dial(), make(chan struct{})
		go func() {
			defer close(stopped)
			_, err := io.WriteString(conn, "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
			for err == nil { // a byte now and then keeps no time-out away
				time.Sleep(1100 * time.Millisecond)
				_, err = conn.Write([]byte("x"))
			}
		}()
		if _, took := hear(t, conn); took > readTimeout+time.Second {
			t.Errorf("cut after %s, want %s", took, readTimeout)
		}
		<-stopped
		all := r.rejected()
		want := "malformed: the body was cut after 9 of 1000 bytes because it took longer than 10s"
		if len(all) != 1 || all[0].Verdict.Reason != model.Malformed || all[0].Verdict.Detail != want || string(all[0].Body) != "xxxxxxxxx" {
			t.Errorf("noted %d requests, want one with %q", len(all), want)
			for _, one := range all {
				t.Logf("%+v", one)
			}
		}
	})
}

func TestClientThatNeverReadsIsCut(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		conn := p.dial()
		say(conn, strings.Repeat(r.raw("msg_1", "x"), 50))
		time.Sleep(readTimeout + keepTimeout + time.Second)
		if text, took := hear(t, conn); text != "" || took != 0 {
			t.Errorf("it was still served after %s: %q", readTimeout+keepTimeout, text)
		}
	})
}

func TestJournalThatHangsIsGivenUpAndAnswered503(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		r.journal.before = func(ctx context.Context, _ *model.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}
		conn, start := p.dial(), time.Now()
		say(conn, r.raw("msg_1", "x"))
		if got := status(t, conn); got != 503 || time.Since(start) != keepTimeout {
			t.Errorf("answered %d after %s, want 503 after %s", got, time.Since(start), keepTimeout)
		}
		want := "cannot keep deliveries: the journal did not take one within 10s; answering 503, so Svix will retry"
		if got := r.notices(); len(got) != 1 || got[0] != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

func TestEveryDeliveryHasTimeToBeKept(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		r.journal.before = func(ctx context.Context, _ *model.Delivery) error {
			<-ctx.Done()
			return ctx.Err()
		}
		for i := range 20 {
			conn, start := p.dial(), time.Now()
			say(conn, r.raw(fmt.Sprint("msg_", i), "x"))
			synctest.Wait()
			if i < 19 {
				time.Sleep(300 * time.Millisecond) // they share contexts
				continue
			}
			if got := status(t, conn); got != 503 || time.Since(start) < keepTimeout-time.Second || time.Since(start) > keepTimeout {
				t.Errorf("the last was answered %d after %s, want 503 after %s, or up to a second less", got, time.Since(start), keepTimeout)
			}
		}
		time.Sleep(keepTimeout) // for the others
	})
}

func TestShutdownAnswersWhatIsInFlight(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		r.journal.before = func(ctx context.Context, _ *model.Delivery) error {
			select {
			case <-time.After(time.Second):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		conn := p.dial()
		say(conn, r.raw("msg_1", "x"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- r.Shutdown(ctx) }()
		if got := status(t, conn); got != 204 {
			t.Errorf("answered %d during Shutdown, want 204", got)
		}
		if err := <-done; err != nil || r.Counts().Verified != 1 {
			t.Errorf("Shutdown returned %v with %+v counted", err, r.Counts())
		}
	})
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	serve(t, func(t *testing.T, r *rig, p *pipes) {
		gaveUp := make(chan time.Time, 1)
		r.journal.before = func(ctx context.Context, _ *model.Delivery) error {
			<-ctx.Done()
			gaveUp <- time.Now()
			return ctx.Err()
		}
		conn, start := p.dial(), time.Now()
		say(conn, r.raw("msg_1", "x"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- r.Shutdown(ctx) }()
		if text, took := hear(t, conn); text != "" || took != 2*time.Second {
			t.Errorf("heard %q for %s, want nothing for 2s", text, took)
		}
		if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown returned %v", err)
		}
		if after := (<-gaveUp).Sub(start); after != 2*time.Second {
			t.Errorf("the append was given up after %s, want 2s", after)
		}
		synctest.Wait()
		if len(r.notices()) != 0 {
			t.Errorf("told %q about a shutdown", r.notices())
		}
	})
}
