package source

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/model"
)

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
		h := s.request(0).Header
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
		s.end()
		pass(5 * time.Second)
		if got := s.request(1).Header.Get("Last-Event-ID"); got != "6" {
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

func TestAnEventIsHeldUntilTheJournalKeepsIt(t *testing.T) {
	a := task("a", time.Unix(1e9, 0), "visual:queued")
	stream(t, func(t *testing.T, s *streaming) {
		s.send(event("1", "e1", a))
		s.journal.setFull(errors.New("no space left on device"))
		s.send(event("2", "e2", a) + event("3", "e3", a))
		pass(time.Hour)
		if r := s.reports.last(); r.State != Trouble || r.Detail != "the journal cannot store events: no space left on device; waiting until it can" || s.count() != 1 {
			t.Errorf("after %d connections reported %+v", s.count(), r)
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
		if r := s.reports.last(); r.State != Trouble {
			t.Errorf("ended with an event that was not kept, it reports %+v", r)
		}
		s.journal.setFull(nil)
		again, err := NewStream(StreamConfig{URL: s.c.URL, Journal: s.journal, History: historyOf(t, s.journal), HTTP: &http.Client{Transport: s}})
		if err != nil {
			t.Fatal(err)
		}
		defer start(t, again.Run)()
		synctest.Wait()
		if h := s.request(1).Header; h.Get("Last-Event-ID") != "3" || h.Get("Authorization") != "" {
			t.Errorf("the next run asked with %v", h)
		}
	})
}

func TestAnEventThatIsTooLargeIsNoticedAndNotAskedForAgain(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		s.send("id: 9\ndata: " + strings.Repeat("x", 2<<20) + "\n\n")
		s.end()
		pass(5 * time.Second)
		if got := s.request(1).Header.Get("Last-Event-ID"); got != "9" {
			t.Errorf("went on from %q", got)
		}
		if got := s.reports.notices(); len(got) != 2 || got[1] != "the event stream: skipped an event larger than 1 MiB" {
			t.Errorf("noticed %q", got)
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
