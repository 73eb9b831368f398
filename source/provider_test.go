package source

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/aspect"
)

// streaming is a stream with everything around it in memory, in virtual time.
type streaming struct {
	*Stream
	journal *memory
	reports *reports
	stop    func()
	gap     func()

	mu       sync.Mutex
	answer   func(*http.Request) *http.Response // nil: as open does
	requests []*http.Request
	times    []time.Time
	down     *io.PipeWriter // of the newest connection
}

// RoundTrip is the provider's server. A connection is broken when its request
// ends, as a real one is.
func (s *streaming) RoundTrip(req *http.Request) (*http.Response, error) {
	up, down := io.Pipe()
	s.mu.Lock()
	s.requests, s.times, s.down = append(s.requests, req), append(s.times, time.Now()), down
	answer := s.answer
	s.mu.Unlock()
	context.AfterFunc(req.Context(), func() { up.CloseWithError(req.Context().Err()) })
	res := open()
	if answer != nil {
		if res = answer(req); res == nil {
			return nil, errors.New("connection refused")
		}
	}
	if res.Body == nil {
		res.Body = up
	}
	res.Request = req
	return res, nil
}

// answerWith changes what the server answers from now on.
func (s *streaming) answerWith(f func(*http.Request) *http.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

func open() *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream; charset=utf-8"}}}
}

func status(code int, header ...string) *http.Response {
	res := &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody}
	for i := 0; i < len(header); i += 2 {
		res.Header.Set(header[i], header[i+1])
	}
	return res
}

// connections are the requests so far, and when they came.
func (s *streaming) connections() ([]*http.Request, []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests), slices.Clone(s.times)
}

func (s *streaming) count() int {
	requests, _ := s.connections()
	return len(requests)
}

func (s *streaming) request(i int) *http.Request {
	requests, _ := s.connections()
	return requests[i]
}

func (s *streaming) at(i int) time.Time {
	_, times := s.connections()
	return times[i]
}

func (s *streaming) newest() *io.PipeWriter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.down
}

// send sends text on the newest connection.
func (s *streaming) send(text string) {
	go io.WriteString(s.newest(), text)
	synctest.Wait()
}

// end ends the newest connection.
func (s *streaming) end() { s.newest().Close() }

// event is an event whose data is the envelope of a task.
func event(id, eventID, task string) string {
	return "id: " + id + "\ndata: " + envelope(eventID, "task.progress", task) + "\n\n"
}

func stream(t *testing.T, test func(t *testing.T, s *streaming), before ...func(*streaming)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &streaming{journal: &memory{}, reports: &reports{}}
		for _, f := range before {
			f(s)
		}
		var err error
		s.Stream, err = NewStream(StreamConfig{
			URL: "https://events.test/stream?token=hidden", Key: aspect.NewCredential("sk_0123456789abcdef"),
			Journal: s.journal, History: historyOf(t, s.journal), HTTP: &http.Client{Transport: s}, Report: s.reports.add, Gap: s.gap,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.stop = start(t, s.Run)
		synctest.Wait()
		test(t, s)
		s.stop()
	})
}
