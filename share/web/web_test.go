package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aspectop/feed/feedtest"
)

func TestThePageTellsTheBoardFailuresFirst(t *testing.T) {
	s := serve(t)
	status, header, body := s.ask("")
	if status != http.StatusOK || header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d, %v", status, header)
	}
	failed, completed := strings.Index(body, `id="failed"`), strings.Index(body, `id="completed"`)
	if failed < 0 || completed < failed || !strings.Contains(body, "2e1c7e02") || !strings.Contains(body, "Tasks <b>2</b>") {
		t.Errorf("the page is %s", body)
	}
	if strings.Contains(body, "<style") || strings.Contains(body, "<script>") || strings.Contains(body, "style=") {
		t.Error("something in the page stands inline, which the policy forbids")
	}
	for path, kind := range map[string]string{"page.css": "text/css", "page.js": "text/javascript"} {
		if status, header, body := s.ask(path); status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), kind) || len(body) < 1000 {
			t.Errorf("%s: %d, %v, %d bytes", path, status, header, len(body))
		}
	}
}

func TestWithoutTheRightTokenNothingIsThere(t *testing.T) {
	s := serve(t)
	token := s.server.Token
	_, _, nothing := get(t, "http://"+s.address+"/")
	for _, path := range []string{
		"", "events", "page.js", token, token[:len(token)-1] + "/", token + "x/", strings.ToLower(token) + "/", "x/" + token + "/", NewToken() + "/events",
		token + "/no", token + "/../" + token + "/", token + "/events/", "%2f" + token + "/", token + "//",
	} {
		if status, _, body := get(t, "http://"+s.address+"/"+path); status != http.StatusNotFound || body != nothing {
			t.Errorf("/%s: %d, %s", path, status, body)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		req, err := http.NewRequest(method, s.url, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
	if a, b := NewToken(), NewToken(); a == b || len(a) != 32 {
		t.Errorf("tokens %s and %s", a, b)
	}
}

func TestEveryAnswerIsProtectedAndSetsNoCookie(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"", "page.js", "task?key=0", "nothing"} {
		_, header, _ := s.ask(path)
		for name, want := range map[string]string{
			"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
			"Cross-Origin-Resource-Policy": "same-origin", "Set-Cookie": "", "Server": "",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%q: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%q: the policy is %s", path, policy)
		}
	}
}

func TestUserIDsNeverReachThePage(t *testing.T) {
	s := serve(t)
	_, _, page := s.ask("")
	_, _, detail := s.ask("task?key=0")
	if strings.Contains(page+detail, user) || !strings.Contains(detail, "(hidden)") {
		t.Errorf("told: %s", detail)
	}
	_, n := s.follow().next()
	if strings.Contains(fmt.Sprint(n, *n.Figures, *n.Statistics), user) {
		t.Errorf("streamed: %v", n)
	}
}

func TestATasksDetailsTellItsEventsWithTheirVerdicts(t *testing.T) {
	s := serve(t)
	status, _, body := s.ask("task?key=1") // history is folded newest first
	if status != http.StatusOK {
		t.Fatal(status)
	}
	for _, part := range []string{feedtest.TaskID(1), "<svg", "task.progress", "task.completed", "verified (secret default)", "duplicate", "arrival 2", "proxy processing → <b>completed</b>"} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in %s", part, body)
		}
	}
	for _, key := range []string{"2", "-1", "x", ""} {
		if status, _, _ := s.ask("task?key=" + key); status != http.StatusNotFound {
			t.Errorf("key %q: %d", key, status)
		}
	}
}

func TestAStreamTellsWhatHasChangedAndNoMore(t *testing.T) {
	s := serve(t)
	st := s.follow()
	if kind := st.resp.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("it is %s", kind)
	}
	event, n := st.next()
	if event != "news" || len(n.Rows) != 2 || n.Figures == nil || n.Statistics == nil || len(n.Groups) != 2 || n.Groups[0].Class != "failed" {
		t.Fatalf("first comes %s: %+v", event, n)
	}
	for event, n = st.next(); len(n.Rows) > 0; event, n = st.next() {
	} // what was told at the start may be told once more, a second on
	s.journal.Append(feedtest.Event(3, "task.progress", time.Minute, "proxy=queued"))
	for len(n.Rows) == 0 {
		event, n = st.next()
	}
	if r, ok := n.Rows[2]; event != "news" || len(n.Rows) != 1 || !ok || r.ID != feedtest.TaskID(3) || !strings.Contains(r.HTML, "proxy") {
		t.Errorf("then comes %s: %+v", event, n)
	}
}

func TestAStreamSaysThatTheProgramEnds(t *testing.T) {
	s := serve(t)
	st := s.follow()
	st.next()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	go s.server.Shutdown(ctx)
	for {
		if event, _ := st.next(); event == "end" {
			break
		}
	}
	if _, err := st.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after the end comes %v", err)
	}
}

func TestOnlySoManyPagesFollowAtOnce(t *testing.T) {
	s := serve(t, func(c *Config) { c.limits.streams = 2 })
	first := s.follow()
	first.next()
	s.follow().next()
	status, header, body := s.ask("events")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "2 pages follow already") {
		t.Errorf("the third gets %d: %s", status, body)
	}
	if status, _, _ := s.ask(""); status != http.StatusOK {
		t.Errorf("the page itself: %d", status)
	}
	first.resp.Body.Close()
	until(t, "there is room again", func() bool { return len(s.server.streams) == 1 })
	if event, _ := s.follow().next(); event != "news" {
		t.Errorf("then: %s", event)
	}
}

func TestAClientThatDoesNotReadIsEndedAndHoldsUpNobody(t *testing.T) {
	s := serve(t, func(c *Config) { c.limits.stall = 200 * time.Millisecond })
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(c, "GET /%s/events HTTP/1.1\r\nHost: x\r\n\r\n", s.server.Token)
	until(t, "it follows", func() bool { return len(s.server.streams) == 1 })
	other := s.follow()
	other.next()
	round := 0
	until(t, "the client that does not read is ended", func() bool {
		round++ // each is a quarter of a megabyte, so that buffers on the way fill
		for i := range mostRows {
			at := time.Duration(round)*time.Minute + time.Duration(i)*time.Millisecond
			s.journal.Append(feedtest.Event(10+i, "task.progress", at, fmt.Sprintf("proxy=state-%d", round)))
		}
		other.next()
		return len(s.server.streams) == 1
	})
}

func TestWhoHoldsManyConnectionsKeepsNobodyWaiting(t *testing.T) {
	s := serve(t, func(c *Config) { c.limits.connections = 3 })
	for range 3 {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET / HTTP/1.1\r\n") // and no more
	}
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(c, "GET /%s/ HTTP/1.1\r\nHost: x\r\n\r\n", s.server.Token)
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Errorf("the fourth connection is not closed at once: %v", err)
	}
}

func TestBehindAProxyOnlyItsHostIsServed(t *testing.T) {
	s := serve(t, func(c *Config) { c.Token, c.Hosts = "", []string{"status.example.com"} })
	for host, want := range map[string]int{
		"status.example.com": 200, "Status.Example.com": 200, "evil.example": 404, "status.example.com.evil.example": 404, s.address: 404,
	} {
		req, err := http.NewRequest(http.MethodGet, "http://"+s.address+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("for host %q: %d, want %d", host, resp.StatusCode, want)
		}
	}
	proxy, err := url.Parse("https://Status.example.com/aspectop/")
	if err != nil {
		t.Fatal(err)
	}
	hosts := Hosts(proxy, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8788})
	if got := strings.Join(hosts, " "); got != "status.example.com 127.0.0.1:8788 localhost:8788" {
		t.Errorf("the hosts of a proxy are %s", got)
	}
}

func TestWhileNobodyLooksNothingIsWorkedOut(t *testing.T) {
	s := serve(t)
	s.journal.Append(feedtest.Event(3, "task.progress", time.Minute, "proxy=queued"))
	until(t, "the feed has it", func() bool {
		s.server.Feed.RLock()
		defer s.server.Feed.RUnlock()
		return s.server.Feed.Seen() == 5
	})
	s.server.state.mu.Lock()
	defer s.server.state.mu.Unlock()
	if s.server.state.now != nil {
		t.Error("a page was worked out that nobody asked for")
	}
}
