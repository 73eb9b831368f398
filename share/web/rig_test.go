package web

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/feed/feedtest"
)

// user is that of feedtest's tasks.
const user = "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111"

// site is a page that is served.
type site struct {
	t       *testing.T
	server  *Server
	journal *feedtest.Memory
	address string
	url     string // of the page
}

// serve serves a page about two tasks: one that was completed, told twice, and one
// that failed.
func serve(t *testing.T, change ...func(*Config)) *site {
	t.Helper()
	j := &feedtest.Memory{}
	j.Append(
		feedtest.Event(1, "task.progress", time.Second, "proxy=processing"),
		feedtest.Event(1, "task.completed", 5*time.Second, "proxy=completed"),
		feedtest.Event(2, "task.failed", 6*time.Second, "visual=failed"),
	)
	j.Receive(feedtest.Event(1, "task.completed", 5*time.Second, "proxy=completed"))
	ctx, cancel := context.WithCancel(context.Background())
	f := feed.New(feed.Options{Journal: j})
	folded := make(chan struct{})
	go func() { f.Run(ctx); close(folded) }()
	until(t, "the feed has folded the journal", func() bool {
		f.RLock()
		defer f.RUnlock()
		loading, _, _ := f.Loading()
		return !loading && f.Index().Len() == 4
	})
	c := Config{Feed: f, Journal: j, Token: NewToken(), limits: usualLimits}
	c.limits.pace, c.limits.beat = 10*time.Millisecond, 50*time.Millisecond
	for _, ch := range change {
		ch(&c)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: New(c), journal: j, address: l.Addr().String()}
	s.url = "http://" + s.address + "/"
	if c.Token != "" {
		s.url += c.Token + "/"
	}
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(l) }()
	t.Cleanup(func() {
		end, stop := context.WithTimeout(context.Background(), 5*time.Second)
		defer stop()
		s.server.Shutdown(end)
		if err := <-served; err != nil {
			t.Errorf("serving ended with %v", err)
		}
		cancel()
		<-folded
	})
	return s
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// ask asks for a path behind the page's.
func (s *site) ask(path string) (status int, header http.Header, body string) {
	s.t.Helper()
	return get(s.t, s.url+path)
}

func get(t *testing.T, url string) (status int, header http.Header, body string) {
	t.Helper()
	client := http.Client{Timeout: 20 * time.Second} // where nothing should be, there may be a stream
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// stream is an open stream of events.
type stream struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Reader
}

func (s *site) follow() *stream {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"events", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return &stream{s.t, resp, bufio.NewReader(resp.Body)}
}

// next is the next event.
func (st *stream) next() (event string, n news) {
	st.t.Helper()
	var data string
	for {
		line, err := st.in.ReadString('\n')
		if err != nil {
			st.t.Fatalf("the stream ended: %v", err)
		}
		switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); name {
		case "event":
			event = value
		case "data":
			data = value
		case "":
			if err := json.Unmarshal([]byte(data), &n); err != nil {
				st.t.Fatalf("%s: %v", data, err)
			}
			return event, n
		}
	}
}
