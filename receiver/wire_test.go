package receiver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/model"
)

// online serves a rig on a loopback port until the test ends.
func online(t *testing.T, change ...func(*Config)) (r *rig, addr string) {
	t.Helper()
	r = newRig(t, change...)
	l, _, err := Listen("127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- r.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = r.Shutdown(ctx)
		if err := <-served; err != nil {
			t.Errorf("Serve returned %v", err)
		}
	})
	return r, l.Addr().String()
}

// exchange sends text on a connection of its own, ends the sending side, and
// returns the status of every answer until the server closes.
func exchange(t *testing.T, addr, text string) (statuses []int) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(8 * time.Second)); err != nil {
		t.Error(err)
	}
	go func() { // a server that answers early does not read on
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	in := bufio.NewReader(conn)
	for {
		a, err := http.ReadResponse(in, nil)
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, a.Body)
		statuses = append(statuses, a.StatusCode)
	}
}

func chunks(body string, size int) string {
	var out strings.Builder
	for piece := range slices.Chunk([]byte(body), size) {
		fmt.Fprintf(&out, "%x\r\n%s\r\n", len(piece), piece)
	}
	return out.String() + "0\r\n\r\n"
}

func TestRequestsOnTheWire(t *testing.T) {
	full := strings.Repeat("x", MaxBody)
	post := "POST " + DefaultPath + " HTTP/1.1\r\nHost: x\r\n"
	for _, c := range []struct {
		name     string
		text     func(*rig) string
		statuses []int
		reason   model.Reason // of the one rejected request, if there is one
		detail   string
	}{
		{"exactly 1 MiB", func(r *rig) string { return r.raw("msg_1", full) }, []int{204}, "", ""},
		{"one byte more is not even read", func(r *rig) string {
			return post + r.signature("msg_1", full) + "Content-Length: " + strconv.Itoa(MaxBody+1) + "\r\n\r\n"
		}, []int{413}, model.TooLarge, "too large: 1048577 bytes announced, at most 1048576 are accepted"},
		{"an absurd length", func(r *rig) string {
			return post + r.signature("msg_1", full) + "Content-Length: 9223372036854775807\r\n\r\n"
		}, []int{413}, model.TooLarge, "too large: 9223372036854775807 bytes announced, at most 1048576 are accepted"},
		{"chunked, small", func(r *rig) string {
			return post + r.signature("msg_1", "chunked") + "Transfer-Encoding: chunked\r\n\r\n" + chunks("chunked", 3)
		}, []int{204}, "", ""},
		{"chunked, exactly 64 KiB", func(r *rig) string {
			return post + r.signature("msg_1", full[:smallBody]) + "Transfer-Encoding: chunked\r\n\r\n" + chunks(full[:smallBody], 1000)
		}, []int{204}, "", ""},
		{"chunked, one byte more than 64 KiB", func(r *rig) string {
			return post + r.signature("msg_1", full[:smallBody+1]) + "Transfer-Encoding: chunked\r\n\r\n" + chunks(full[:smallBody+1], 1000)
		}, []int{204}, "", ""},
		{"chunked, exactly 1 MiB", func(r *rig) string {
			return post + r.signature("msg_1", full) + "Transfer-Encoding: chunked\r\n\r\n" + chunks(full, 50_000)
		}, []int{204}, "", ""},
		{"chunked, one byte more than 1 MiB", func(r *rig) string {
			return post + r.signature("msg_1", full+"x") + "Transfer-Encoding: chunked\r\n\r\n" + chunks(full+"x", 50_000)
		}, []int{413}, model.TooLarge, "too large: more than the 1048576 bytes that are accepted"},
		{"a body that breaks off", func(r *rig) string {
			return post + r.signature("msg_1", "body") + "Content-Length: 10\r\n\r\nbody"
		}, []int{400}, model.Malformed, "malformed: the body broke off after 4 of 10 bytes"},
		{"a large body that breaks off", func(r *rig) string {
			return post + r.signature("msg_1", "body") + "Content-Length: 100000\r\n\r\n" + full[:99_999]
		}, []int{400}, model.Malformed, "malformed: the body broke off after 99999 of 100000 bytes"},
		{"chunks that break off", func(r *rig) string {
			return post + r.signature("msg_1", "body") + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n"
		}, []int{400}, model.Malformed, "malformed: the body broke off after 4 bytes"},
		{"chunks that are none", func(r *rig) string {
			return post + r.signature("msg_1", "body") + "Transfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n"
		}, []int{400}, model.Malformed, "malformed: the body broke off after 0 bytes"},
		{"no body and no length", func(r *rig) string { return post + r.signature("msg_1", "") + "\r\n" }, []int{204}, "", ""},

		{"pipelined", func(r *rig) string {
			return r.raw("msg_1", "a") + r.raw("msg_2", "b") + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + r.raw("msg_1", "a")
		}, []int{204, 204, 200, 204}, "", ""},
		{"a refused one among pipelined ones", func(r *rig) string {
			return r.raw("msg_1", "a") + strings.Replace(r.raw("msg_2", "b"), "v1,", "v1,x", 1) + r.raw("msg_3", "c")
		}, []int{204, 400, 204}, model.NoMatch, "no secret matches (body altered, or another endpoint's secret)"},
		{"lower and upper case names", func(r *rig) string {
			return strings.Replace(r.raw("msg_1", "a"), "svix-id", "SVIX-ID", 1)
		}, []int{204}, "", ""},
		{"HTTP/1.0", func(r *rig) string {
			return strings.Replace(r.raw("msg_1", "a"), "HTTP/1.1", "HTTP/1.0", 1)
		}, []int{204}, "", ""},
		{"absolute form", func(r *rig) string {
			return strings.Replace(r.raw("msg_1", "a"), "POST /", "POST http://elsewhere.example/", 1)
		}, []int{204}, "", ""},
		{"absolute form of another path", func(r *rig) string {
			return strings.Replace(r.raw("msg_1", "a"), "POST /", "POST http://elsewhere.example/x/", 1)
		}, []int{404}, model.WrongPath, "wrong path: this receiver's is /webhooks/aspect"},
		{"OPTIONS *", func(*rig) string { return "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" }, []int{404}, "", ""},
		{"POST *", func(*rig) string { return "POST * HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" }, []int{404}, "", ""},
		{"CONNECT", func(*rig) string { return "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n" }, []int{404}, "", ""},
		{"dots and double slashes are not cleaned", func(r *rig) string {
			return strings.Replace(r.raw("msg_1", "a"), DefaultPath, "/x/..//webhooks/aspect", 1)
		}, []int{404}, model.WrongPath, "wrong path: this receiver's is /webhooks/aspect"},
		{"HEAD of the health check", func(*rig) string { return "HEAD /healthz HTTP/1.0\r\n\r\n" }, []int{200}, "", ""},

		{"Expect of a body that is wanted", func(r *rig) string {
			return r.raw("msg_1", "a", "Expect: 100-continue\r\n")
		}, []int{100, 204}, "", ""},
		{"Expect of a body that is too large", func(r *rig) string {
			return post + r.signature("msg_1", full) + "Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n"
		}, []int{413}, model.TooLarge, "too large: 2000000 bytes announced, at most 1048576 are accepted"},
		{"Expect on another path", func(*rig) string {
			return "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
		}, []int{404}, "", ""},

		{"headers of 30 KiB", func(r *rig) string {
			return r.raw("msg_1", "a", "X-Long: "+full[:30<<10]+"\r\n")
		}, []int{204}, "", ""},
		{"headers of more than 32 KiB", func(r *rig) string {
			return r.raw("msg_1", "a", "X-Long: "+full[:32<<10]+"\r\n")
		}, []int{431}, model.TooLarge, "too large: more than 32 KiB of headers"},
		{"a header that never ends", func(r *rig) string { return post + "X-Long: " + full }, []int{431}, model.TooLarge, "too large: more than 32 KiB of headers"},
		{"two lengths", func(r *rig) string {
			return r.raw("msg_1", "a", "Content-Length: 2\r\n")
		}, []int{400}, model.Malformed, "malformed: no valid HTTP/1 request, answered 400 Bad Request"},
		{"another expectation", func(r *rig) string {
			return r.raw("msg_1", "a", "Expect: 200-ok\r\n")
		}, []int{417}, model.Malformed, "malformed: no valid HTTP/1 request, answered 417 Expectation Failed"},
		{"a good one, then a bad one", func(r *rig) string {
			return r.raw("msg_1", "a") + r.raw("msg_2", "a", "Content-Length: 2\r\n")
		}, []int{204, 400}, model.Malformed, "malformed: no valid HTTP/1 request, answered 400 Bad Request"},
		{"a folded header", func(r *rig) string {
			return post + "svix-id: a\r\n b\r\nContent-Length: 0\r\n\r\n"
		}, []int{400}, model.MissingHeaders, "missing headers: svix-timestamp, svix-signature"},
		{"no Host", func(*rig) string { return "POST " + DefaultPath + " HTTP/1.1\r\n\r\n" }, []int{400}, model.Malformed,
			"malformed: no valid HTTP/1 request, answered 400 Bad Request: missing required Host header"},
		{"TLS", func(*rig) string { return "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" }, nil,
			model.NotHTTP, "not HTTP/1: the connection began with TLS"},
		{"HTTP/2 by prior knowledge", func(*rig) string { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }, nil,
			model.NotHTTP, "not HTTP/1: the connection began with HTTP/2"},
		{"PROXY protocol, version 1", func(r *rig) string {
			return "PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n" + r.raw("msg_1", "a")
		}, nil, model.NotHTTP, "not HTTP/1: the connection began with the PROXY protocol (version 1)"},
		{"PROXY protocol, version 2", func(r *rig) string {
			return "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x00\x50\x01\xbb" + r.raw("msg_1", "a")
		}, nil, model.NotHTTP, "not HTTP/1: the connection began with the PROXY protocol (version 2)"},
		{"empty lines before a request", func(r *rig) string { return "\r\n" + r.raw("msg_1", "a") }, []int{400}, model.Malformed,
			"malformed: no valid HTTP/1 request, answered 400 Bad Request"},
		{"a method that begins like another protocol", func(*rig) string { return "PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n" }, []int{404}, "", ""},
		{"binary garbage", func(*rig) string { return strings.Repeat("\x00\xff\r\n", 1000) }, []int{400}, model.Malformed,
			"malformed: no valid HTTP/1 request, answered 400 Bad Request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, addr := online(t)
			if got := exchange(t, addr, c.text(r)); !slices.Equal(got, c.statuses) {
				t.Errorf("answered %v, want %v", got, c.statuses)
			}
			var reason model.Reason
			var detail string
			for _, one := range r.rejected() {
				reason, detail = one.Verdict.Reason, one.Verdict.Detail
			}
			if reason != c.reason || detail != c.detail {
				t.Errorf("noted %s: %q, want %s: %q", reason, detail, c.reason, c.detail)
			}
			acknowledged := 0
			for _, s := range c.statuses {
				if s == 204 {
					acknowledged++
				}
			}
			if got := len(r.journal.deliveries()); got != acknowledged {
				t.Errorf("kept %d, acknowledged %d", got, acknowledged)
			}
		})
	}
}

func TestSmallChunkedBodyDoesNotHoldALargeBuffer(t *testing.T) {
	r, addr := online(t)
	exchange(t, addr, "POST "+DefaultPath+" HTTP/1.1\r\nHost: x\r\n"+r.signature("msg_1", "chunked")+
		"Transfer-Encoding: chunked\r\n\r\n"+chunks("chunked", 3))
	if got := r.journal.deliveries(); len(got) != 1 || cap(got[0].Body) > 100 {
		t.Errorf("kept %d deliveries, the body of 7 bytes in a buffer of %d", len(got), cap(got[0].Body))
	}
}

func TestDeliveriesGoOnWhileStrangersMisbehave(t *testing.T) {
	r, addr := online(t)
	for range 50 { // half-open, half a header, half a body: they stay until they are cut
		for _, text := range []string{"", "POST /webhooks/aspect HTTP/1.1\r\nHo", "POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody"} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	garbage := []string{
		strings.Repeat("\x00\xff", 50_000),
		r.raw("msg_x", "a", "X-Long: "+strings.Repeat("x", 64<<10)+"\r\n"),
		"POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("g", 1_000_000),
		"POST /webhooks/aspect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(strings.Repeat("g", 2_000_000), 60_000),
	}
	var strangers sync.WaitGroup
	for range 20 {
		strangers.Go(func() {
			for _, text := range garbage {
				exchange(t, addr, text)
			}
		})
	}
	misbehaved := make(chan struct{})
	go func() { strangers.Wait(); close(misbehaved) }()
	client := &http.Client{Timeout: time.Minute}
	defer client.CloseIdleConnections()
	sent := 0
	for going := true; going || sent < 300; sent++ {
		q := r.signed(fmt.Sprint("msg_", sent), "body")
		q.RequestURI, q.URL.Scheme, q.URL.Host = "", "http", addr
		a, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != http.StatusNoContent {
			t.Fatalf("delivery %d was answered %d", sent, a.StatusCode)
		}
		select {
		case <-misbehaved:
			going = false
		default:
		}
	}
	if got := len(r.journal.deliveries()); got != sent {
		t.Errorf("kept %d deliveries, sent %d", got, sent)
	}
}
