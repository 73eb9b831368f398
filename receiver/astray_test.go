package receiver

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

// unread fails the test when a body is read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, nil }
func (u unread) Close() error             { return nil }

func TestDeliveriesToAnotherPathOrMethodAreToldWithTheRemedy(t *testing.T) {
	for _, c := range []struct {
		method, target string
		reason         model.Reason
		path           string
		remedy         string
	}{
		{"POST", "/pre/webhooks/aspect?token=hidden", model.WrongPath, "/pre/webhooks/aspect", "puts a prefix before it"},
		{"POST", "/webhooks/aspect/", model.WrongPath, "/webhooks/aspect/", "slash at the end"},
		{"POST", "//webhooks//aspect", model.WrongPath, "//webhooks//aspect", "the same path written in another way"},
		{"POST", "/webhooks/%61spect", model.WrongPath, "/webhooks/%61spect", "the same path written in another way"},
		{"POST", "/aspect", model.WrongPath, "/aspect", "removes the beginning of the path"},
		{"POST", "/", model.WrongPath, "/", "has no path"},
		{"PUT", "/hooks", model.WrongPath, "/hooks", "--path"},
		{"POST", "/healthz", model.WrongPath, "/healthz", "--path"},
		{"POST", "/" + strings.Repeat("a", 500), model.WrongPath, "/" + strings.Repeat("a", 199), "--path"},
		{"POST", "/%1b%5B31m", model.WrongPath, "/%1b%5B31m", "--path"},
		{"GET", "/webhooks/aspect", model.WrongMethod, "/webhooks/aspect", "turns POST into GET"},
		{"DELETE", "/webhooks/aspect", model.WrongMethod, "/webhooks/aspect", "pass the method on"},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			r := newRig(t)
			for _, family := range []string{"svix", "webhook"} {
				q := httptest.NewRequest(c.method, c.target, unread{t})
				for name, values := range r.signed("msg_1", "x").Header {
					q.Header[strings.Replace(name, "Svix", strings.ToUpper(family[:1])+family[1:], 1)] = values
				}
				r.do(t, q)
			}
			all := r.rejected()
			if len(all) != 2 || r.Counts().Rejected[c.reason] != 2 {
				t.Fatalf("told %+v, counted %+v", all, r.Counts())
			}
			for _, one := range all {
				v := one.Verdict
				if one.ID != "msg_1" || one.Path != c.path || one.Method != c.method || !one.At.Equal(now) || v.Reason != c.reason ||
					v.OK() || v.Secret != "" || !strings.Contains(v.Hint, c.remedy) || one.Body != nil || one.Size != 0 {
					t.Errorf("told %+v", one)
				}
				if strings.Contains(v.Hint, "/") {
					t.Errorf("%q holds a path, which private screens hide", v.Hint)
				}
			}
		})
	}
}

func TestOrdinaryRequestsToOtherPathsAreNotTold(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/.git/config", "/webhooks/aspect/"} {
		r.do(t, httptest.NewRequest("POST", target, nil))
	}
	r.do(t, httptest.NewRequest("GET", "/webhooks/aspect", nil))
	if got := r.rejected(); len(got) != 0 {
		t.Errorf("told %+v", got)
	}
}

func TestAHealthCheckAtTheRootIsToldOnce(t *testing.T) {
	at := now
	r := newRig(t, func(c *Config) { c.Now = func() time.Time { return at } })
	ask := func(n int, every time.Duration) {
		for range n {
			if w := r.do(t, httptest.NewRequest("OPTIONS", "/", nil)); w.Code != 404 {
				t.Errorf("answered %d, want 404", w.Code)
			}
			at = at.Add(every)
		}
	}
	if ask(10, 2*time.Minute); len(r.notices()) != 0 {
		t.Errorf("requests now and then were told: %q", r.notices())
	}
	ask(100, 5*time.Second)
	if got := r.notices(); len(got) != 1 || !strings.Contains(got[0], "/healthz") || !strings.Contains(got[0], "health check") {
		t.Errorf("told %q", got)
	}
}

func TestOtherProtocolsAreToldFiveTimesAMinuteAndAllCounted(t *testing.T) {
	at := now
	r, addr := online(t, func(c *Config) { c.Now = func() time.Time { return at } })
	shake := func() {
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err == nil {
			conn.Close()
			t.Fatal("a TLS handshake succeeded")
		}
	}
	for range 8 {
		shake()
	}
	if got := r.rejected(); len(got) != 5 || r.status.Untold() != 3 || r.Counts().Rejected[model.NotHTTP] != 8 {
		t.Errorf("told %d, %d more, counted %+v", len(got), r.status.Untold(), r.Counts())
	}
	at = at.Add(time.Minute)
	shake()
	got := r.rejected()
	if len(got) != 6 || !strings.Contains(got[5].Verdict.Hint, "http://") || got[5].Path != "" || got[5].Method != "" {
		t.Errorf("told %+v a minute later", got)
	}
}

// A proxy's pool of idle connections, with 25 ms between the proxy and the receiver, under
// a fake clock: each request meets a connection that was idle for about as long as the
// pool keeps it.
func TestNoRequestIsLostAtTheEdgeOfAProxysPool(t *testing.T) {
	for _, pool := range []time.Duration{60 * time.Second, 120 * time.Second, 600 * time.Second} {
		t.Run(pool.String(), func(t *testing.T) {
			serve(t, func(t *testing.T, r *rig, p *pipes) {
				for _, edge := range []time.Duration{readTimeout, pool} { // what either side might close after
					if failed, sent := idleEdge(t, r, p, pool, edge); failed != 0 || sent < 40 {
						t.Errorf("%d of %d requests failed after %s", failed, sent, edge)
					}
				}
			})
		})
	}
	t.Run("a longer pool", func(t *testing.T) { // so that the test can fail
		serve(t, func(t *testing.T, r *rig, p *pipes) {
			if failed, sent := idleEdge(t, r, p, time.Hour, idleTimeout); failed == 0 {
				t.Errorf("none of %d requests failed", sent)
			}
		})
	})
}

// idleEdge posts through a pool, each time after the connection was idle for edge and some
// milliseconds more or less.
func idleEdge(t *testing.T, r *rig, p *pipes, pool, edge time.Duration) (failed, sent int) {
	proxy := &http.Transport{IdleConnTimeout: pool, DialContext: distant(p, 25*time.Millisecond)}
	defer time.Sleep(time.Second) // until all is closed at both ends
	defer proxy.CloseIdleConnections()
	for ms := -100; ms <= 20; ms += 3 {
		q := r.signed(fmt.Sprint("msg_", sent), "x")
		q.RequestURI, q.URL.Scheme, q.URL.Host, q.GetBody = "", "http", netip.MustParseAddrPort("127.0.0.1:8787").String(), nil
		sent++
		a, err := proxy.RoundTrip(q)
		if err != nil || a.StatusCode != http.StatusNoContent {
			failed++
		} else {
			_ = a.Body.Close()
		}
		time.Sleep(edge + time.Duration(ms)*time.Millisecond)
	}
	return failed, sent
}

// distant dials over a link that takes delay in each direction.
func distant(p *pipes, delay time.Duration) func(context.Context, string, string) (net.Conn, error) {
	relay := func(from, to net.Conn) {
		type piece struct {
			data []byte
			due  time.Time
		}
		under := make(chan piece, 1000)
		go func() {
			for one := range under {
				time.Sleep(time.Until(one.due))
				_, _ = to.Write(one.data)
			}
			to.Close()
		}()
		buf := make([]byte, 4096)
		for {
			n, err := from.Read(buf)
			under <- piece{bytes.Clone(buf[:n]), time.Now().Add(delay)}
			if err != nil {
				close(under)
				return
			}
		}
	}
	return func(context.Context, string, string) (net.Conn, error) {
		client, near := net.Pipe()
		far := p.dial()
		go relay(near, far)
		go relay(far, near)
		return client, nil
	}
}
