package aspect

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// no digits and no run of a to f, which an address may have too
	testKey    = "sk_live_qwrtzuiopghjklyvWXYZ"
	testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// standIn is Aspect's API as the provider's page has it, to the letter: another
// method, path, query, header or body field is a breach, which fails the test.
type standIn struct {
	t *testing.T
	// pause, if set, is called at the named moments of a request: "asked",
	// "done" (done, not answered), "answered".
	pause func(r *http.Request, moment string)
	// upsert makes it answer a PUT of an endpoint that does not exist as Svix does.
	upsert bool

	underWay  atomic.Int32
	mu        sync.Mutex
	made      int
	endpoints map[string]map[string]any // by id
	tasks     []string                  // JSON of each active task
	requests  []string                  // method and path, in order
}

func newStandIn(t *testing.T) *standIn {
	return &standIn{t: t, endpoints: map[string]map[string]any{}}
}

// serve starts the stand-in, and returns a client of it.
func (s *standIn) serve() *Client {
	s.t.Helper()
	server := httptest.NewServer(s)
	s.t.Cleanup(server.Close)
	return clientOf(s.t, server.URL)
}

func clientOf(t *testing.T, url string) *Client {
	t.Helper()
	c, err := New(Config{BaseURL: url, Key: NewCredential(testKey)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *standIn) at(r *http.Request, moment string) {
	if s.pause != nil {
		s.pause(r, moment)
	}
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.underWay.Add(1)
	defer s.underWay.Add(-1)
	s.mu.Lock()
	s.requests = append(s.requests, r.Method+" "+r.URL.RequestURI())
	s.mu.Unlock()
	s.at(r, "asked")
	if r.Header.Get("Authorization") != "Bearer "+testKey {
		answer(w, 401, map[string]any{"detail": "Invalid API key"})
		return
	}
	if got := r.Header.Get("Accept"); got != "application/json" {
		s.t.Errorf("%s %s accepts %q", r.Method, r.URL, got)
	}
	status, reply := s.act(r)
	s.at(r, "done")
	answer(w, status, reply)
	s.at(r, "answered")
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func (s *standIn) act(r *http.Request) (int, any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	route := r.Method + " " + strings.Join(parts[:min(2, len(parts))], "/")
	query := slices.Sorted(maps.Keys(r.URL.Query()))
	switch {
	case route == "POST webhooks/endpoints" && len(parts) == 2:
		return s.create(s.fields(r, "description", "event_types", "rate_limit", "url", "version"))
	case route == "PUT webhooks/endpoints" && len(parts) == 3:
		f := s.fields(r, "description", "disabled", "event_types", "rate_limit", "url", "version")
		e, ok := s.endpoints[parts[2]]
		if !ok && s.upsert {
			s.made++
			f["id"] = fmt.Sprintf("ep_%d", s.made)
			s.endpoints[f["id"].(string)] = f
			return 201, map[string]any{"endpoint": f}
		}
		if !ok {
			return 404, map[string]any{"detail": "Endpoint not found"}
		}
		if fmt.Sprint(f["event_types"]) != "[task.progress task.completed task.failed]" {
			s.t.Errorf("an update with the event types %v, which the page does not show", f["event_types"])
		}
		maps.Copy(e, f)
		return 200, map[string]any{"endpoint": e}
	case route == "DELETE webhooks/endpoints" && len(parts) == 3:
		s.fields(r)
		if _, ok := s.endpoints[parts[2]]; !ok {
			return 404, map[string]any{"detail": "Endpoint not found"}
		}
		delete(s.endpoints, parts[2])
		return 200, map[string]any{"success": true}
	case route == "GET webhooks/messages" && len(parts) == 2 && len(query) == 0:
		return 200, map[string]any{"data": []any{map[string]any{
			"id": "msg_1", "eventType": "task.progress", "timestamp": "2025-01-01T12:00:00Z", "payload": map[string]any{}}}, "done": true}
	case route == "GET webhooks/delivery-attempts" && len(parts) == 2 && slices.Equal(query, []string{"message_id"}):
		return 200, []any{attempt("ep_1", r.URL.Query().Get("message_id"))}
	case route == "GET webhooks/delivery-attempts" && len(parts) == 2 && slices.Equal(query, []string{"endpoint_id"}):
		return 200, []any{attempt(r.URL.Query().Get("endpoint_id"), "msg_1")}
	case route == "GET tasks/active" && len(query) == 0:
		return 200, json.RawMessage("[" + strings.Join(s.tasks, ",") + "]")
	case route == "GET tasks/"+parts[len(parts)-1] && len(parts) == 2:
		for _, task := range s.tasks {
			if strings.Contains(task, `"id":"`+parts[1]+`"`) {
				return 200, json.RawMessage(task)
			}
		}
		return 404, map[string]any{"detail": "Task not found"}
	case route == "GET assets/"+parts[len(parts)-1] && len(parts) == 2:
		return 200, map[string]any{"id": parts[1], "type": "video", "name": "holiday.mov", "size_bytes": 5 << 30,
			"mime_type": "video/quicktime", "created": "2025-01-01T11:55:00Z", "updated": "2025-01-01T12:00:00Z"}
	}
	s.t.Errorf("%s %s is not on the page", r.Method, r.URL)
	return 404, map[string]any{"detail": "Not Found"}
}

func attempt(endpoint, message string) map[string]any {
	return map[string]any{"id": "atmpt_1", "msg_id": message, "endpoint_id": endpoint, "url": "https://a.example/hook",
		"response_status_code": 204, "status": 0, "timestamp": "2025-01-01T12:00:01Z"}
}

// fields reads the body, which must be JSON with exactly these members; none
// means no body.
func (s *standIn) fields(r *http.Request, names ...string) map[string]any {
	b, _ := io.ReadAll(r.Body)
	if len(names) == 0 {
		if len(b) > 0 {
			s.t.Errorf("%s %s with a body: %s", r.Method, r.URL, b)
		}
		return nil
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		s.t.Errorf("%s %s with content type %q", r.Method, r.URL, got)
	}
	var f map[string]any
	if err := json.Unmarshal(b, &f); err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	if got := slices.Sorted(maps.Keys(f)); !slices.Equal(got, names) {
		s.t.Errorf("%s %s with the fields %v, the page has %v", r.Method, r.URL, got, names)
	}
	return f
}

func (s *standIn) create(f map[string]any) (int, any) {
	if fmt.Sprint(f["event_types"]) == "[task.*]" {
		f["event_types"] = []any{"task.progress", "task.completed", "task.failed"}
	}
	s.made++
	f["id"] = fmt.Sprintf("ep_%d", s.made)
	f["disabled"] = false
	f["created_at"], f["updated_at"] = "2025-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
	s.endpoints[f["id"].(string)] = f
	return 200, map[string]any{"endpoint": f, "secret": testSecret, "app": map[string]any{"id": "app_123", "is_new": s.made == 1}}
}

// alive returns the endpoints that exist, as id → description.
func (s *standIn) alive() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]string{}
	for id, e := range s.endpoints {
		all[id] = e["description"].(string)
	}
	return all
}

func (s *standIn) urlOf(id string) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoints[id]["url"]
}

// asked returns the requests since the last look.
func (s *standIn) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.requests
	s.requests = nil
	return all
}

// inMemory serves h without a network, so that it can be used inside a synctest
// bubble, and returns a client of it.
func inMemory(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h}
	go server.Serve(l)
	transport := &http.Transport{DialContext: l.dial}
	t.Cleanup(func() { // before the bubble ends, every goroutine must have
		transport.CloseIdleConnections()
		server.Shutdown(context.Background())
	})
	c, err := New(Config{BaseURL: "http://api.test", Key: NewCredential(testKey), HTTP: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type memory struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case m.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error   { m.once.Do(func() { close(m.closed) }); return nil }
func (m *memory) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// must returns v, for calls that cannot fail in a test's set-up.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// within runs the test with a context that ends it when it hangs.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
