package source

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aspectop/aspect"
	"aspectop/feed"
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
)

// server is Aspect's API as the provider's page describes it.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	active []string
	tasks  map[string]string
	asked  []string
}

func newServer(t *testing.T) *server {
	s := &server{tasks: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /tasks/active", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "[%s]", strings.Join(s.active, ", "))
	})
	mux.HandleFunc("GET /tasks/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.one(w, r.PathValue("id"), "Task not found")
	})
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = append(s.asked, r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer sk_0123456789abcdef" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"detail":"Could not validate credentials"}`)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

// set changes what the server answers.
func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *server) one(w http.ResponseWriter, id, missing string) {
	if raw, ok := s.tasks[id]; ok {
		fmt.Fprint(w, raw)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintf(w, `{"detail":%q}`, missing)
}

func (s *server) client(t *testing.T) *aspect.Client {
	t.Helper()
	c, err := aspect.New(aspect.Config{BaseURL: s.URL, Key: aspect.NewCredential("sk_0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// file is a journal on the disk, with a reader.
func file(t *testing.T) (*sqlite.Journal, *sqlite.Reader) {
	t.Helper()
	j, err := sqlite.OpenMemory(journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	r, err := sqlite.OpenReader(j.Place())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return j, r
}

// kept is a journal on the disk for a stream.
type kept struct {
	*sqlite.Journal
	r *sqlite.Reader
}

func (k kept) SaveStreamID(key, id string) error { return journal.SaveStreamID(k.Journal, key, id) }

func (k kept) StreamIDs(ctx context.Context) (map[string]string, error) {
	return journal.StreamIDs(ctx, k.r)
}

func all(t *testing.T, r feed.Journal) []model.Delivery {
	t.Helper()
	deliveries, err := r.After(t.Context(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// eventually polls until ok, or fails.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in a minute it did not come that " + what)
		}
	}
}

// run runs a poller until its first poll is over.
func run(t *testing.T, api API, j Appender, r feed.Journal) {
	t.Helper()
	looked := make(chan Report, 100)
	p := NewPoller(PollerConfig{API: api, Journal: j, History: historyOf(t, r), Report: func(r Report) {
		if r.State != Connecting {
			looked <- r
		}
	}})
	stop := start(t, p.Run)
	if r := <-looked; r.State != OK {
		t.Fatalf("reported %+v", r)
	}
	stop()
}

func TestARestartFillsTheGapAndRepeatsNothing(t *testing.T) {
	s, now := newServer(t), time.Now()
	j, r := file(t)
	s.active = []string{task("a", now, "visual:processing"), task("b", now, "visual:queued"), task("c", now, "visual:queued"), task("d", now, "visual:queued")}
	run(t, s.client(t), j, r)
	if got := len(all(t, r)); got != 4 {
		t.Fatalf("%d deliveries", got)
	}

	// Meanwhile a was completed, b went on, c was deleted, d stays as it was.
	s.active = []string{task("d", now, "visual:queued"), task("b", now.Add(time.Second), "visual:processing")}
	s.tasks["a"] = task("a", now.Add(time.Second), "visual:completed")
	for range 3 {
		run(t, s.client(t), j, r)
	}
	b := boardOf(all(t, r))
	if len(all(t, r)) != 7 || b.Task("a").State() != model.Completed || b.Task("b").State() != model.Processing || !b.Task("c").Gone() || b.Task("d").State() != model.Queued {
		t.Errorf("the journal has %s", told(all(t, r)))
	}
	for _, d := range all(t, r) {
		if d.Repeat() {
			t.Errorf("%s is a repeat", d.ID)
		}
	}
	// A task that is gone might be back.
	if want := []string{"/tasks/active", "/tasks/active", "/tasks/c", "/tasks/a", "/tasks/active", "/tasks/c", "/tasks/active", "/tasks/c"}; !slices.Equal(s.asked, want) {
		t.Errorf("asked for %q, want %q", s.asked, want)
	}
}

func TestATaskThatOneAnswerDidNotKnowIsBackWithTheNextThatDoes(t *testing.T) {
	for _, c := range []struct {
		name   string
		active []string // at first
		wanted []string
	}{
		{"wanted and unknown", nil, []string{"a"}},
		{"processing and wanted", []string{task("a", time.Now(), "visual:processing")}, []string{"a"}},
		{"processing", []string{task("a", time.Now(), "visual:processing")}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			s.active = c.active
			j, r := file(t)
			p := NewPoller(PollerConfig{API: s.client(t), Journal: j, History: historyOf(t, r), Every: 10 * time.Millisecond, Wanted: wanting(c.wanted...)})
			start(t, p.Run)
			a := func() *model.Task { return boardOf(all(t, r)).Task("a") }
			if c.active != nil {
				eventually(t, "the task is known", func() bool { return a() != nil })
			}
			s.set(func() { s.active = nil })
			eventually(t, "it is gone", func() bool { return a() != nil && a().Gone() })
			s.set(func() { s.tasks["a"] = task("a", time.Now().Add(time.Second), "visual:completed") })
			eventually(t, "it is completed", func() bool { return !a().Gone() && a().State() == model.Completed })
		})
	}
}

func TestAStreamIsReadOverTheWireAndGoesOnWhereAnEarlierRunStopped(t *testing.T) {
	j, r := file(t)
	asked := make(chan http.Header, 10)
	more := make(chan string, 10)
	ended := make(chan bool, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		defer func() { ended <- true }()
		asked <- req.Header
		w.Header().Set("Content-Type", "text/event-stream")
		w.WriteHeader(http.StatusOK)
		for {
			http.NewResponseController(w).Flush()
			select {
			case text := <-more:
				fmt.Fprint(w, text)
			case <-req.Context().Done():
				return
			}
		}
	}))
	defer s.Close()
	raw := task("a", time.Now(), "visual:queued")
	for run, last := range []string{"", "1"} {
		stream, err := NewStream(StreamConfig{URL: s.URL, Key: aspect.NewCredential("sk_0123456789abcdef"), Journal: kept{j, r}, History: historyOf(t, r)})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t, stream.Run)
		if h := <-asked; h.Get("Last-Event-ID") != last || h.Get("Authorization") != "Bearer sk_0123456789abcdef" {
			t.Errorf("run %d asked with %v", run, h)
		}
		more <- event(fmt.Sprint(run+1), fmt.Sprint("e", run), raw)
		eventually(t, "the event is kept", func() bool { return len(all(t, r)) == run+1 })
		stop()
		<-ended // or it would take the next event
	}
	if got := told(all(t, r)); got != "sse task.progress, sse task.progress" {
		t.Errorf("the journal has %s", got)
	}
}

func TestAStreamThatNeverEndsALineIsTrouble(t *testing.T) {
	j, r := file(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for text := strings.Repeat("x", 1<<20); req.Context().Err() == nil; {
			fmt.Fprint(w, text)
		}
	}))
	defer s.Close()
	told := &reports{}
	stream, err := NewStream(StreamConfig{URL: s.URL, Journal: kept{j, r}, History: historyOf(t, r), Report: told.add})
	if err != nil {
		t.Fatal(err)
	}
	start(t, stream.Run)
	eventually(t, "the trouble is told", func() bool {
		return strings.Contains(strings.Join(told.notices(), "\n"), "sent a line longer than 16 MiB instead of events")
	})
}
