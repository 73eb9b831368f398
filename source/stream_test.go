package source

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
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
		if got, want := told(s.journal.deliveries()), "webhook task.progress, sse task.progress, sse task.progress, sse snapshot, webhook task.progress, sse task.progress"; got != want {
			t.Errorf("the journal has %s, want %s", got, want)
		}
		for i, d := range s.journal.deliveries() {
			if want := []int64{1, 1, 3, 4, 5, 5}[i]; d.Message != want {
				t.Errorf("delivery %d is of message %d, not %d", i+1, d.Message, want)
			}
		}
		n := len(s.journal.deliveries())
		s.end()
		pass(5 * time.Second)
		s.send(event("1", "by webhook", a) + event("6", "e6", a)) // what the server repeats
		if got := len(s.journal.deliveries()); got != n {
			t.Errorf("%d deliveries instead of %d", got, n)
		}
		if got := s.request(1).Header.Get("Last-Event-ID"); got != "6" {
			t.Errorf("went on from %q, which makes the server repeat what is known", got)
		}
	}, func(s *streaming) { s.journal.receive(t, envelope("by webhook", "task.progress", a)) })
}

func TestWhatIsNoEventOfAspectIsCountedAndToldOncePerKind(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		for i := range 20 {
			s.send(fmt.Sprintf("id: %d\nevent: ping\ndata: {\"time\":\"%d\"}\n\n", i, i))
		}
		s.send("data: heartbeat\n\ndata: {\"success\": true}\n\n: comment\n\ndata: {\"event_type\":\"asset.created\",\"data\":{}}\n\ndata:\n\n")
		if got := told(s.journal.deliveries()); got != "sse asset.created" {
			t.Errorf("the journal has %s", got)
		}
		const is = " is neither an event of Aspect nor a task: such events are counted, not kept"
		if got, want := s.reports.notices()[1:], []string{`the event stream: an event named "ping"` + is, `the event stream: an event named "message"` + is}; !slices.Equal(got, want) {
			t.Errorf("noticed %q, want %q", got, want)
		}
		if got, want := s.reports.last().Detail, "connected to events.test; events not kept, as they are not about Aspect's tasks: 22"; got != want {
			t.Errorf("reported %q, want %q", got, want)
		}
		s.end()
		pass(5 * time.Second)
		if got := s.request(1).Header.Get("Last-Event-ID"); got != "19" {
			t.Errorf("went on from %q", got)
		}
		for i := range 100 { // names that a server invents do not take memory
			s.send(fmt.Sprintf("event: %d\ndata: x\n\n", i))
		}
		if got := len(s.reports.notices()); got != 1+20 || len(s.skipped) != 21 {
			t.Errorf("%d notices for %d names", got, len(s.skipped))
		}
	})
}

func TestAnIDBelongsToAURL(t *testing.T) {
	a := task("a", time.Unix(1e9, 0), "visual:queued")
	next := func(t *testing.T, s *streaming, url string) string {
		again, err := NewStream(StreamConfig{URL: url, Journal: s.journal, History: historyOf(t, s.journal), HTTP: &http.Client{Transport: s}, Report: s.reports.add})
		if err != nil {
			t.Fatal(err)
		}
		n := s.count()
		stop := start(t, again.Run)
		synctest.Wait()
		stop()
		return s.request(n).Header.Get("Last-Event-ID")
	}
	stream(t, func(t *testing.T, s *streaming) {
		s.send(event("50", "e1", a) + "id: 51\ndata: heartbeat\n\n")
		s.stop()
		if got := next(t, s, "https://other.test/stream"); got != "" {
			t.Errorf("another stream was asked for what is behind %q", got)
		}
		if got := next(t, s, s.c.URL); got != "51" {
			t.Errorf("the stream went on from %q", got)
		}
		for key := range s.journal.streams {
			if strings.Contains(key, "events.test") || len(key) != 64 {
				t.Errorf("the journal has the URL: %q", key)
			}
		}
	})
	// An earlier version kept the id with the event alone.
	const is = "going on from the last event id in the journal"
	stream(t, func(t *testing.T, s *streaming) {
		if got := s.request(0).Header.Get("Last-Event-ID"); got != "50" || !strings.Contains(s.reports.notices()[0], is) {
			t.Errorf("went on from %q and said %q", got, s.reports.notices())
		}
		s.stop()
		said := len(s.reports.notices())
		for url, want := range map[string]string{"https://other.test/stream": "", s.c.URL: "50"} {
			if got := next(t, s, url); got != want {
				t.Errorf("then %s went on from %q, not %q", url, got, want)
			}
		}
		if got := s.reports.notices()[said:]; strings.Contains(fmt.Sprint(got), is) {
			t.Errorf("then said %q", got)
		}
	}, func(s *streaming) {
		d := &model.Delivery{ID: "sse:e1", Source: model.SourceSSE, Header: map[string][]string{headerID: {"50"}}, Body: []byte(envelope("e1", "task.progress", a))}
		if err := s.journal.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAWebhookAndItsTwinOfTheStreamAreOneMessage(t *testing.T) {
	a := task("a", time.Unix(1e9, 0), "visual:queued")
	stream(t, func(t *testing.T, s *streaming) {
		receiver := s.c.History.Webhooks(s.journal)
		for i := range 200 {
			body := envelope(fmt.Sprint("e", i), "task.progress", a)
			d := &model.Delivery{ID: fmt.Sprint("msg_", i), Twin: model.TwinOf([]byte(body)), Source: model.SourceWebhook, Body: []byte(body)}
			go io.WriteString(s.newest(), event(fmt.Sprint(i), fmt.Sprint("e", i), a))
			if i%3 == 0 {
				synctest.Wait()
			}
			if err := receiver.Append(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		messages, ids := 0, map[string]bool{}
		for _, d := range s.journal.deliveries() {
			ids[d.ID] = true
			if !d.Repeat() {
				messages++
			}
		}
		if n := len(s.journal.deliveries()); messages != 200 || n != 400 || !ids["msg_199"] {
			t.Errorf("%d messages of %d deliveries", messages, n)
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
