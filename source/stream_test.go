package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/aspect"
	"aspectop/model"
)

// streaming is a stream with everything around it in memory, in virtual time.
type streaming struct {
	*Stream
	journal *memory
	reports *reports
	stop    func()

	answer   func(*http.Request, io.Writer) *http.Response // nil: as open does
	requests []*http.Request
	times    []time.Time
	down     *io.PipeWriter // of the newest connection
}

// RoundTrip is the provider's server. A connection is broken when its request
// ends, as a real one is.
func (s *streaming) RoundTrip(req *http.Request) (*http.Response, error) {
	up, down := io.Pipe()
	s.requests, s.times, s.down = append(s.requests, req), append(s.times, time.Now()), down
	context.AfterFunc(req.Context(), func() { up.CloseWithError(req.Context().Err()) })
	res := open()
	if s.answer != nil {
		if res = s.answer(req, down); res == nil {
			return nil, errors.New("connection refused")
		}
	}
	if res.Body == nil {
		res.Body = up
	}
	res.Request = req
	return res, nil
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

// send sends text on the newest connection.
func (s *streaming) send(text string) {
	go io.WriteString(s.down, text)
	synctest.Wait()
}

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
			Journal: s.journal, History: NewHistory(s.journal), HTTP: &http.Client{Transport: s}, Report: s.reports.add,
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

func TestAnEventOfTheStreamIsADeliveryLikeAnyOther(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		body := envelope("e1", "task.completed", task("a", time.Now(), "visual:completed"))
		s.send("id: 41\nevent: task\ndata: " + body + "\n\n")
		all := s.journal.deliveries()
		if len(all) != 1 {
			t.Fatalf("%d deliveries", len(all))
		}
		d := all[0]
		if d.ID != "sse:e1" || d.Source != model.SourceSSE || string(d.Body) != body || d.Header["Last-Event-Id"][0] != "41" || d.Header["Event"][0] != "task" || time.Since(d.Received) > 0 {
			t.Errorf("kept %+v", d)
		}
		if got := s.journal.board().Task("a").State(); got != model.Completed {
			t.Errorf("the task is %s", got)
		}
		h := s.requests[0].Header
		if h.Get("Authorization") != "Bearer sk_0123456789abcdef" || h.Get("Accept") != "text/event-stream" || h.Get("Last-Event-ID") != "" {
			t.Errorf("asked with %v", h)
		}
		if r := s.reports.last(); r.State != OK || r.Source != model.SourceSSE || r.Detail != "connected to events.test" {
			t.Errorf("reported %+v", r)
		}
	})
}

func TestWhatTheJournalHasIsNotEnteredAgain(t *testing.T) {
	a := task("a", time.Unix(1e9, 0), "visual:queued")
	stream(t, func(t *testing.T, s *streaming) {
		s.send(event("1", "by webhook", a))
		s.send(event("2", "e2", a) + event("3", "e2", a))
		s.send("id: 4\ndata: " + a + "\n\nid: 5\ndata: " + a + "\n\n") // bare, without an event_id
		s.journal.receive(t, envelope("e6", "task.progress", a))
		s.send(event("6", "e6", a))
		if got, want := told(s.journal.deliveries()), "webhook task.progress, sse task.progress, sse snapshot, webhook task.progress"; got != want {
			t.Errorf("the journal has %s, want %s", got, want)
		}
		s.down.Close()
		pass(5 * time.Second)
		if got := s.requests[1].Header.Get("Last-Event-ID"); got != "6" {
			t.Errorf("went on from %q, which makes the server repeat what is known", got)
		}
	}, func(s *streaming) { s.journal.receive(t, envelope("by webhook", "task.progress", a)) })
}

func TestNothingIsDroppedForItsShape(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		s.send("data: heartbeat\n\ndata: heartbeat\n\n: comment\n\ndata: {\"event_type\":\"asset.created\",\"data\":{}}\n\ndata:\n\n")
		if got := told(s.journal.deliveries()); got != "sse unrecognised, sse asset.created" {
			t.Errorf("the journal has %s", got)
		}
	})
}

func TestAConnectionThatBringsNothingForNinetySecondsIsMadeAgain(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		for range 20 { // a comment is something
			pass(89 * time.Second)
			s.send(":\n")
		}
		if len(s.requests) != 1 {
			t.Fatalf("%d connections although comments came", len(s.requests))
		}
		quiet := time.Now()
		pass(89 * time.Second)
		if len(s.requests) != 1 {
			t.Fatal("it gave up before the time")
		}
		pass(2 * time.Second)
		if r := s.reports.last(); r.State != Connecting || r.Detail != "nothing came for 1m30s; connecting to events.test again" || !r.NextTry.After(time.Now()) {
			t.Errorf("reported %+v", r)
		}
		pass(3 * time.Second)
		if len(s.requests) != 2 || s.times[1].Sub(quiet) > 94*time.Second {
			t.Errorf("%d connections after %v", len(s.requests), s.times[len(s.times)-1].Sub(quiet))
		}
		pass(24 * time.Hour) // a quiet account
		if got := s.reports.notices(); !slices.Equal(got, []string{"the event stream: connected to events.test"}) {
			t.Errorf("noticed %q", got)
		}
		if r := s.reports.last(); time.Since(s.times[len(s.times)-1]) > 94*time.Second {
			t.Errorf("in the end it reports %+v", r)
		}
	})
}

func TestAServerThatDoesNotEvenAnswerIsLeftAfterNinetySeconds(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(91 * time.Second)
		if r := s.reports.last(); r.State != Trouble || !strings.HasPrefix(r.Detail, "no answer from events.test (nothing came for 1m30s)") {
			t.Errorf("reported %+v", r)
		}
	}, func(s *streaming) {
		s.answer = func(req *http.Request, _ io.Writer) *http.Response {
			<-req.Context().Done()
			return nil
		}
	})
}

func TestTheServerSaysWhenToComeBack(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		for _, c := range []struct {
			text string
			want time.Duration
		}{
			{":\n", 3 * time.Second},
			{"retry: 20000\n\n", 20 * time.Second},
			{":\n", 20 * time.Second}, // it holds
			{"retry: 0\n", 500 * time.Millisecond},
			{"retry: 86400000\n", 5 * time.Minute},
		} {
			n := len(s.requests)
			s.send(c.text)
			ended := time.Now()
			s.down.Close()
			pass(c.want * 12 / 10)
			if len(s.requests) != n+1 {
				t.Fatalf("after %q: %d connections more", c.text, len(s.requests)-n)
			}
			if got := s.times[n].Sub(ended); got < c.want*9/10 || got > c.want*11/10 {
				t.Errorf("after %q it waited %v, want about %v", c.text, got, c.want)
			}
		}
		if got := s.reports.notices(); len(got) != 1 {
			t.Errorf("that connections end as they do is noticed: %q", got)
		}
	})
}

func TestAServerThatRefusesIsAskedEverMoreSeldomAndItIsToldOnce(t *testing.T) {
	broken := true
	stream(t, func(t *testing.T, s *streaming) {
		pass(30 * time.Minute)
		var waits []time.Duration
		for i := range s.times[1:] {
			waits = append(waits, s.times[i+1].Sub(s.times[i]))
		}
		for i, want := range []time.Duration{3, 6, 12, 24, 48, 96, 192, 300, 300} {
			if want *= time.Second; i >= len(waits) || waits[i] < want*9/10 || waits[i] > want*11/10 {
				t.Fatalf("waited %v, want about %v for the %dth", waits, want, i+1)
			}
		}
		broken = false
		pass(6 * time.Minute)
		got := s.reports.notices()
		if len(got) != 2 || got[0] != "the event stream: events.test answered 500 Internal Server Error: it is tried again" || !strings.HasPrefix(got[1], "the event stream: well again after 3") {
			t.Errorf("noticed %q", got)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request, io.Writer) *http.Response {
			if broken {
				return status(500)
			}
			return open()
		}
	})
}

func TestAStreamThatEndsAsSoonAsItBeginsIsTrouble(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(time.Hour)
		got := s.reports.notices()
		if want := []string{
			"the event stream: connected to events.test",
			"the event stream: events.test ended the event stream as soon as it began",
		}; !slices.Equal(got, want) || len(s.requests) > 25 {
			t.Errorf("in %d connections noticed %q", len(s.requests), got)
		}
		s.answer = nil
		pass(6 * time.Minute)
		s.send(":\n")
		if r := s.reports.last(); r.State != OK {
			t.Errorf("when it is well again it reports %+v", r)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request, io.Writer) *http.Response {
			res := open()
			res.Body = http.NoBody
			return res
		}
	})
}

func TestAServerThatHasNoContentIsLeftForGood(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(24 * time.Hour)
		want := "events.test says that there will be no more events (204 No Content); they are not read on"
		if r := s.reports.last(); r.State != Stopped || r.Detail != want || r.Notice != "the event stream: "+want || len(s.requests) != 1 {
			t.Errorf("after %d connections reported %+v", len(s.requests), r)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request, io.Writer) *http.Response { return status(204) }
	})
}

func TestWhatIsNoStreamIsToldInWordsWithoutKeyAndAddress(t *testing.T) {
	for _, c := range []struct {
		res  *http.Response
		want string
	}{
		{status(200, "Content-Type", "text/html; charset=utf-8"), `events.test answered with "text/html; charset=utf-8", which is no event stream (text/event-stream): check the address of the stream`},
		{status(200), "events.test answered with no content type, which is no event stream (text/event-stream): check the address of the stream"},
		{status(401), "events.test answered 401 Unauthorized: check ASPECT_API_KEY"},
		{status(404), "events.test answered 404 Not Found: check the address of the stream"},
		{status(503, "Retry-After", "1800"), "events.test answered 503 Service Unavailable: it is tried again"},
		{status(799), "events.test answered 799: it is tried again"},
		{status(302, "Location", "https://elsewhere.test/login?secret=1"), `events.test answered 302 Found: it leads to "https://elsewhere.test", which is not followed: if that is the stream, give its address`},
		{nil, "no answer from events.test (connection refused): check the network, and the address of the stream"},
	} {
		stream(t, func(t *testing.T, s *streaming) {
			r := s.reports.last()
			if r.State != Trouble || r.Detail != c.want {
				t.Errorf("reported %s %q, want %q", r.State, r.Detail, c.want)
			}
			if c.res != nil && c.res.Header.Get("Retry-After") != "" && time.Until(r.NextTry) < 27*time.Minute {
				t.Errorf("%v is not when the server wants to see it again", r.NextTry)
			}
		}, func(s *streaming) {
			s.answer = func(*http.Request, io.Writer) *http.Response { return c.res }
		})
	}
}

func TestTheKeyGoesNowhereElse(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(time.Second)
		var asked []string
		for _, r := range s.requests {
			asked = append(asked, r.URL.Host+r.URL.Path+" "+r.URL.Scheme)
		}
		if want := []string{"events.test/stream https", "events.test/stream/ https"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q, want %q", asked, want)
		}
	}, func(s *streaming) {
		s.answer = func(req *http.Request, _ io.Writer) *http.Response {
			if req.URL.Path == "/stream" {
				return status(307, "Location", "/stream/")
			}
			return status(307, "Location", "http://events.test/stream")
		}
	})
}

func TestAnEventIsHeldUntilTheJournalKeepsIt(t *testing.T) {
	a := task("a", time.Unix(1e9, 0), "visual:queued")
	stream(t, func(t *testing.T, s *streaming) {
		s.send(event("1", "e1", a))
		s.journal.setFull(errors.New("no space left on device"))
		s.send(event("2", "e2", a) + event("3", "e3", a))
		pass(time.Hour)
		if r := s.reports.last(); r.State != Trouble || r.Detail != "the journal does not keep events: no space left on device; the next one is held until it does" || len(s.requests) != 1 {
			t.Errorf("after %d connections reported %+v", len(s.requests), r)
		}
		s.journal.setFull(nil)
		pass(time.Minute)
		if got := len(s.journal.deliveries()); got != 3 || s.reports.last().State != OK {
			t.Errorf("%d deliveries, reported %+v", got, s.reports.last())
		}
		if got := s.reports.notices(); len(got) != 3 {
			t.Errorf("noticed %q", got)
		}

		// What was not kept when the program ended is asked for again.
		s.journal.setFull(errors.New("no space left on device"))
		s.send(event("4", "e4", a))
		s.stop()
		s.journal.setFull(nil)
		again, err := NewStream(StreamConfig{URL: s.c.URL, Journal: s.journal, History: NewHistory(s.journal), HTTP: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		defer start(t, again.Run)()
		synctest.Wait()
		if h := s.requests[1].Header; h.Get("Last-Event-ID") != "3" || h.Get("Authorization") != "" {
			t.Errorf("the next run asked with %v", h)
		}
	})
}

func TestAnEventThatIsTooLargeIsNoticedAndNotAskedForAgain(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		s.send("id: 9\ndata: " + strings.Repeat("x", 2<<20) + "\n\n")
		s.down.Close()
		pass(5 * time.Second)
		if got := s.requests[1].Header.Get("Last-Event-ID"); got != "9" {
			t.Errorf("went on from %q", got)
		}
		if got := s.reports.notices(); len(got) != 2 || got[1] != "the event stream: left out an event of more than 1 MiB" {
			t.Errorf("noticed %q", got)
		}
	})
}

func TestAnIDThatNoHeaderCanCarryDoesNotStopTheStream(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		s.send("id: a\x01b\ndata: x\n\n")
		s.down.Close()
		pass(5 * time.Second)
		if len(s.requests) != 2 || s.requests[1].Header.Get("Last-Event-ID") != "" {
			t.Errorf("%d connections", len(s.requests))
		}
	})
}

func TestOnlyAnAddressOfAServerIsAStreams(t *testing.T) {
	for _, u := range []string{"", "stream", "/stream", "ftp://events.test/", "https://", "http://user:secret@%zz/", "://x"} {
		if _, err := NewStream(StreamConfig{URL: u}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := NewStream(StreamConfig{URL: "http://127.0.0.1:9/"}); err != nil {
		t.Error(err)
	}
}

func TestTheNewestIDsAreRememberedAndMemoryIsBounded(t *testing.T) {
	r := newRecent(100)
	for i := range 1000 {
		r.add(fmt.Sprint(i))
		r.add("often")
	}
	for i := 901; i < 1000; i++ {
		if !r.has(fmt.Sprint(i)) {
			t.Errorf("%d of 1000 is forgotten", i)
		}
	}
	if !r.has("often") || r.has("1") || len(r.new)+len(r.old) > 200 {
		t.Errorf("%d are remembered", len(r.new)+len(r.old))
	}
}
