package aspect

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnEndlessBodyIsNotReadOn(t *testing.T) {
	sent := make(chan int, 2)
	status := 200
	c := handling(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		chunk, n := []byte(strings.Repeat(" ", 1<<20)), 0
		for ; n < 10<<10; n++ { // 10 GiB
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		sent <- n
	})
	_, err := c.ActiveTasks(t.Context())
	if err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Error(err)
	}
	if n := <-sent; n > 64 {
		t.Errorf("%d MiB were read", n)
	}
	status = 400
	if _, err := c.ActiveTasks(t.Context()); err == nil || err.Error() != "GET /tasks/active: 400 Bad Request" {
		t.Error(err)
	}
	if n := <-sent; n > 64 {
		t.Errorf("%d MiB of an error were read", n)
	}
}

func TestWhatGoesWrongOnTheWayIsASentence(t *testing.T) {
	tlsServer := httptest.NewTLSServer(nil)
	defer tlsServer.Close()
	tlsServer.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	refused := httptest.NewServer(nil)
	refused.Close()
	noDNS := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.aspect.inc", IsNotFound: true}}
	}}
	for _, test := range []struct {
		name, url string
		transport http.RoundTripper
		want      []string
	}{
		{"a certificate nobody vouches for", tlsServer.URL, nil, []string{"no secure connection to 127.0.0.1", "x509", "clock"}},
		{"nobody listens", refused.URL, nil, []string{"cannot connect to 127.0.0.1", "refused", "ASPECT_URL"}},
		{"no such host", "", noDNS, []string{"cannot resolve api.aspect.inc", "no such host"}},
		{"an answer cut off", breaking(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"id\""), nil, []string{"broke", "unexpected EOF"}},
		{"no HTTP, with the key in it", breaking(t, "Bearer "+testKey+" \x1b[2J\r\n\r\n"), nil, []string{"broke", "malformed"}},
	} {
		ctx := within(t, 20*time.Second)
		c, err := New(Config{BaseURL: test.url, Key: NewCredential(testKey), HTTP: &http.Client{Transport: test.transport}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.try(ctx, call{method: "GET", path: "/tasks/active"}, nil)
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, part := range append(test.want, "GET /tasks/active: ") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", test.name, err, part)
			}
		}
		holdsNothingSecret(t, err)
	}
}

// breaking is the URL of a server that answers these bytes and hangs up.
func breaking(t *testing.T, bytes string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, bytes)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String()
}

func TestAHangingServerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { asked.Add(1); <-r.Context().Done() })
		begin := time.Now()
		_, err := c.ActiveTasks(t.Context())
		if err == nil || !strings.Contains(err.Error(), "api.test did not answer within 20s") {
			t.Error(err)
		}
		if took := time.Since(begin); asked.Load() != maxTries || took < 80*time.Second || took > 90*time.Second {
			t.Errorf("%d tries in %v", asked.Load(), took)
		}
	})
}

func TestABodyThatDribblesIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				io.WriteString(w, "[")
				w.(http.Flusher).Flush()
				time.Sleep(time.Second)
			}
		})
		begin := time.Now()
		_, err := c.ActiveTasks(t.Context())
		if err == nil || !strings.Contains(err.Error(), "did not answer within 20s") || time.Since(begin) > 90*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

func TestTheCallersEndEndsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := c.ActiveTasks(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		if !strings.Contains(err.Error(), "did not answer in time") {
			t.Error(err)
		}
		if _, err := c.ActiveTasks(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after its end: %v", err)
		}
	})
}
