package forward

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
	"aspectop/sig"
)

const (
	aspectSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	handlerSecret = "whsec_plJ3nmyCDGBKInavdOK15jsl"
)

// signerOf signs by Svix's own library.
func signerOf(secret string) sig.Signer {
	w, err := svix.NewWebhook(secret)
	if err != nil {
		panic(err)
	}
	return func(id string, at time.Time, body []byte) string {
		signature, err := w.Sign(id, at, body)
		if err != nil {
			panic(err)
		}
		return signature
	}
}

// resign knows the one secret of these tests.
func resign(secret string) sig.Signer {
	if secret == "default" {
		return signerOf(aspectSecret)
	}
	return nil
}

// message is the n-th of a task as Aspect sends it; of no task if that is "".
func message(task string, n int) *model.Delivery {
	return messageAt(task, n, time.Now())
}

// messageAt is a message that was signed at the time.
func messageAt(task string, n int, at time.Time) *model.Delivery {
	id := fmt.Sprintf("msg_%s_%d", task, n)
	body := []byte(`{"success": true}`)
	if task != "" {
		body = fmt.Appendf(nil, `{"event_type":"task.progress","n":%d,  "data":{"task":{"id":%q,"features":{}}}}`, n, task)
	}
	return &model.Delivery{
		ID: id, Source: model.SourceWebhook, Secret: "default", Received: time.Now().UTC(), Body: body,
		Header: http.Header{
			"Content-Type":   {"application/json"},
			"User-Agent":     {"Svix-Webhooks/1.84.0"},
			"Svix-Id":        {id},
			"Svix-Timestamp": {strconv.FormatInt(at.Unix(), 10)},
			"Svix-Signature": {signerOf(aspectSecret)(id, at, body)},
		},
	}
}

// request is one that a handler got.
type request struct {
	*http.Request
	body []byte
}

func (r request) id() string { return r.Header.Get("Svix-Id") }

// handler is the user's: it keeps what it gets, and answers as told.
type handler struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(w http.ResponseWriter, r request) // nil is 204
}

func newHandler(t testing.TB, answer func(w http.ResponseWriter, r request)) *handler {
	h := &handler{answer: answer}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	r := request{q, body}
	h.mu.Lock()
	h.got = append(h.got, r)
	h.mu.Unlock()
	if h.answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	h.answer(w, r)
}

func (h *handler) requests() []request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]request(nil), h.got...)
}

func (h *handler) ids() (ids []string) {
	for _, r := range h.requests() {
		ids = append(ids, r.id())
	}
	return ids
}

// status answers with the same status always.
func status(code int) func(http.ResponseWriter, request) {
	return func(w http.ResponseWriter, _ request) { w.WriteHeader(code) }
}

// rig is a journal with a Forwarder on it.
type rig struct {
	*Forwarder
	t       testing.TB
	journal *sqlite.Journal
	reader  *sqlite.Reader
	status  *model.StatusLog
	stop    func() // ends Run and wants it to end well
}

func newJournal(t testing.TB) *sqlite.Journal {
	t.Helper()
	j, err := sqlite.OpenMemory(journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

// folding is a feed of the journal, run until it is stopped.
func folding(t testing.TB, j feed.Journal) (f *feed.Feed, stop func()) {
	t.Helper()
	f = feed.New(feed.Options{Journal: j})
	if err := f.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		f.Run(ctx)
		close(ended)
	}()
	return f, sync.OnceFunc(func() {
		cancel()
		<-ended
	})
}

// forwardTo starts forwarding what is appended from now on.
func forwardTo(t testing.TB, url string, change ...func(*Options)) *rig {
	t.Helper()
	return forwardFrom(t, newJournal(t), url, change...)
}

func forwardFrom(t testing.TB, j *sqlite.Journal, url string, change ...func(*Options)) *rig {
	t.Helper()
	reader, err := sqlite.OpenReader(j.Place())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	folded, end := folding(t, reader)
	t.Cleanup(end)
	o := Options{Target: Target{URL: url}, Feed: folded, Journal: reader, Outcomes: j, Resign: resign, Status: model.NewStatusLog(10_000)}
	for _, f := range change {
		f(&o)
	}
	f, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Forwarder: f, t: t, journal: j, reader: reader, status: o.Status}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *rig) append(deliveries ...*model.Delivery) {
	r.t.Helper()
	for _, d := range deliveries {
		if err := r.journal.Append(context.Background(), d); err != nil {
			r.t.Fatal(err)
		}
	}
}

// outcome is what the journal knows of a message that was forwarded once.
func (r *rig) outcome(seq int64) model.Forward {
	r.t.Helper()
	found, err := r.reader.Forwards(context.Background(), seq)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(found) > 1 {
		r.t.Fatalf("message %d has %d outcomes", seq, len(found))
	}
	if len(found) == 0 {
		return model.Forward{}
	}
	return found[0]
}

// settled waits until the message is settled.
func (r *rig) settled(seq int64) model.Forward {
	r.t.Helper()
	until(r.t, fmt.Sprintf("message %d is settled", seq), func() bool { return r.outcome(seq).Final })
	return r.outcome(seq)
}

// idle waits until nothing is to be forwarded.
func (r *rig) idle() {
	r.t.Helper()
	_, last, err := r.reader.Range(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	until(r.t, "everything is settled", func() bool {
		cursor, _, err := r.reader.ForwardCursor(context.Background(), r.target.key)
		return err == nil && cursor >= last
	})
}

// until waits for something to become true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not yet: %s", what)
		}
	}
}

func verifies(t testing.TB, secret string, r request) {
	t.Helper()
	w, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify(r.body, r.Header); err != nil {
		t.Errorf("%s does not verify at the handler: %v", r.id(), err)
	}
}

func sameText(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func has(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q lacks %q", text, p)
		}
	}
}
