package source

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aspectop/loopback"
)

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
			n := s.count()
			s.send(c.text)
			ended := time.Now()
			s.end()
			pass(c.want * 12 / 10)
			if s.count() != n+1 {
				t.Fatalf("after %q: %d connections more", c.text, s.count()-n)
			}
			if got := s.at(n).Sub(ended); got < c.want*9/10 || got > c.want*11/10 {
				t.Errorf("after %q it waited %v, want about %v", c.text, got, c.want)
			}
		}
		if got := s.reports.notices(); len(got) != 2 || !strings.Contains(got[1], "may have been missed") {
			t.Errorf("that connections end as they do is noticed: %q", got)
		}
	})
}

func TestAServerThatRefusesIsAskedEverMoreSeldomAndItIsToldOnce(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(30 * time.Minute)
		var waits []time.Duration
		_, times := s.connections()
		for i := range times[1:] {
			waits = append(waits, times[i+1].Sub(times[i]))
		}
		for i, want := range []time.Duration{3, 6, 12, 24, 48, 96, 192, 300, 300} {
			if want *= time.Second; i >= len(waits) || waits[i] < want*9/10 || waits[i] > want*11/10 {
				t.Fatalf("waited %v, want about %v for the %dth", waits, want, i+1)
			}
		}
		s.answerWith(nil)
		for s.reports.last().State != OK {
			pass(time.Second)
		}
		s.answerWith(func(*http.Request) *http.Response { return status(500) })
		s.send(":\n")
		s.end()
		pass(4 * time.Second)
		if r := s.reports.last(); r.State != Trouble || time.Until(r.NextTry) > 8*time.Second {
			t.Errorf("new trouble is not tried again soon: %+v at %v", r, time.Now())
		}
		got := s.reports.notices()[:2]
		if got[0] != "the event stream: events.test answered 500 Internal Server Error: retrying" || !strings.HasPrefix(got[1], "the event stream: recovered after 3") {
			t.Errorf("noticed %q", got)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request) *http.Response { return status(500) }
	})
}

func TestAStreamThatEndsAsSoonAsItBeginsIsTrouble(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(time.Hour)
		got := s.reports.notices()
		if want := []string{
			"the event stream: connected to events.test",
			"the event stream: events.test closed the event stream immediately",
		}; !slices.Equal(got, want) || s.count() > 25 {
			t.Errorf("in %d connections noticed %q", s.count(), got)
		}
		s.answerWith(nil)
		pass(time.Until(s.reports.last().NextTry))
		if r := s.reports.last(); r.State == OK {
			t.Errorf("before anything came it reports %+v", r)
		}
		s.send(":\n")
		if r := s.reports.last(); r.State != OK {
			t.Errorf("when it is well again it reports %+v", r)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request) *http.Response {
			res := open()
			res.Body = http.NoBody
			return res
		}
	})
}

func TestAServerThatHasNoContentIsLeftForGood(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(24 * time.Hour)
		want := "events.test reports that there will be no more events (204 No Content); stopped reading"
		if r := s.reports.last(); r.State != Stopped || r.Detail != want || r.Notice != "the event stream: "+want || s.count() != 1 {
			t.Errorf("after %d connections reported %+v", s.count(), r)
		}
	}, func(s *streaming) {
		s.answer = func(*http.Request) *http.Response { return status(204) }
	})
}

func TestWhatIsNoStreamIsToldInWordsWithoutKeyAndAddress(t *testing.T) {
	for _, c := range []struct {
		res  *http.Response
		want string
	}{
		{status(200, "Content-Type", "text/html; charset=utf-8"), `events.test answered with "text/html; charset=utf-8" instead of an event stream (text/event-stream): check the URL of the stream`},
		{status(200), "events.test answered with no content type instead of an event stream (text/event-stream): check the URL of the stream"},
		{status(401), "events.test answered 401 Unauthorized: check ASPECT_API_KEY"},
		{status(200, "Content-Type", "text/event-stream", "Content-Encoding", "gzip"), `events.test answered with Content-Encoding "gzip", although none was accepted: turn compression off for the stream, at the server or the proxy before it`},
		{status(404), "events.test answered 404 Not Found: check the URL of the stream"},
		{status(503, "Retry-After", "1800"), "events.test answered 503 Service Unavailable: retrying"},
		{status(503, "Retry-After", "Sat, 01 Jan 2000 00:30:00 GMT"), "events.test answered 503 Service Unavailable: retrying"},
		{status(799), "events.test answered 799: retrying"},
		{status(302, "Location", "https://elsewhere.test/login?secret=1"), `events.test answered 302 Found: it redirects to "https://elsewhere.test", which is not followed; if that is the stream, use its URL`},
		{nil, "no answer from events.test (connection refused): check the network and the URL of the stream"},
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
			s.answer = func(*http.Request) *http.Response { return c.res }
		})
	}
}

func TestTheAdviceAboutTheKeyFitsWhereItGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &streaming{journal: &memory{}, reports: &reports{}, answer: func(*http.Request) *http.Response { return status(401) }}
		stream, err := NewStream(StreamConfig{URL: "https://events.test/", Journal: s.journal, History: historyOf(t, s.journal), HTTP: &http.Client{Transport: s}, Report: s.reports.add})
		if err != nil {
			t.Fatal(err)
		}
		defer start(t, stream.Run)()
		synctest.Wait()
		if got, want := s.reports.last().Detail, "events.test answered 401 Unauthorized: no key was sent to it: ASPECT_API_KEY goes only to a stream at ASPECT_URL"; got != want {
			t.Errorf("reported %q, want %q", got, want)
		}
		if got := s.request(0).Header["Accept-Encoding"]; !slices.Equal(got, []string{"identity"}) {
			t.Errorf("accepts %q", got)
		}
	})
}

func TestTheKeyGoesNowhereElse(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		pass(time.Second)
		var asked []string
		requests, _ := s.connections()
		for _, r := range requests {
			asked = append(asked, r.URL.Host+r.URL.Path+" "+r.URL.Scheme)
		}
		if want := []string{"events.test/stream https", "events.test/stream/ https"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q, want %q", asked, want)
		}
	}, func(s *streaming) {
		s.answer = func(req *http.Request) *http.Response {
			if req.URL.Path == "/stream" {
				return status(307, "Location", "/stream/")
			}
			return status(307, "Location", "http://events.test/stream")
		}
	})
}

func TestAnIDThatNoHeaderCanCarryDoesNotStopTheStream(t *testing.T) {
	stream(t, func(t *testing.T, s *streaming) {
		s.send("id: a\x01b\ndata: x\n\n")
		s.end()
		pass(5 * time.Second)
		if s.count() != 2 || s.request(1).Header.Get("Last-Event-ID") != "" {
			t.Errorf("%d connections", s.count())
		}
	})
}

func TestWhatAProxyAnswersIsNamedAsTheProxys(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusProxyAuthRequired) }))
	defer proxy.Close()
	transport := loopback.Route(&http.Transport{Proxy: func(r *http.Request) (*url.URL, error) { return r.URL.Parse(proxy.URL) }}, new(net.Dialer))
	for address, want := range map[string]string{
		"http://events.example.com/":  "; the answer came through the proxy " + proxy.URL,
		"https://events.example.com/": "the proxy " + proxy.URL + " refused to connect: 407",
	} {
		s, err := NewStream(StreamConfig{URL: address, HTTP: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.connect(t.Context(), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, not %q", address, err, want)
		}
	}
}
