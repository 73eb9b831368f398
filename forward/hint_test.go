package forward

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHintsSayWhatToLookAt(t *testing.T) {
	html := "<!DOCTYPE html><html><head><TITLE>Cannot POST \x1b[31m/hook</TITLE></head></html>"
	for _, c := range []struct {
		name   string
		status int
		header []string
		body   string
		says   []string
	}{
		{name: "204", status: 204},
		{name: "200 with JSON", status: 200, body: "{}"},
		{name: "200 with a page", status: 200, body: html, says: []string{"HTML page", "Cannot POST", "route"}},
		{name: "301", status: 301, header: []string{"Location", "/hook/"}, says: []string{"not followed", `"/hook/"`, "slash"}},
		{name: "400", status: 400, body: "Bad", says: []string{"raw body", "before anything parses", `"default"`}},
		{name: "400 of TLS", status: 400, body: "Client sent an HTTP request to an HTTPS server.\n", says: []string{"https://"}},
		{name: "401", status: 401, says: []string{"protected", "middleware"}},
		{name: "401 for the signature", status: 401, body: "Invalid Signature", says: []string{"raw body", `"default"`}},
		{name: "403", status: 403, says: []string{"CSRF"}},
		{name: "404", status: 404, says: []string{"POST /hook", "path"}},
		{name: "404 with a page", status: 404, body: html, says: []string{"POST /hook", "framework"}},
		{name: "405", status: 405, header: []string{"Allow", "GET, HEAD"}, says: []string{"does not take POST", `"GET, HEAD"`}},
		{name: "413", status: 413, says: []string{"bytes", "limit"}},
		{name: "415", status: 415, says: []string{"application/json", "raw body"}},
		{name: "429", status: 429, says: []string{"rate"}},
		{name: "500 with a page", status: 500, body: html, says: []string{"HTML error page", "framework"}},
		{name: "502", status: 502, says: []string{"proxy", "running"}},
		{name: "503 for now", status: 503, header: []string{"Retry-After", "5"}, body: "Try\x1b[31m again later",
			says: []string{"takes no messages at the moment", `again later"`, `Retry-After: "5"`, "log says why"}},
		{name: "500", status: 500, body: "oops", says: []string{"aspectop check http://127.0.0.1:", "/hook finds out why"}},
	} {
		h := newHandler(t, func(w http.ResponseWriter, _ request) {
			for i := 0; i < len(c.header); i += 2 {
				w.Header().Set(c.header[i], c.header[i+1])
			}
			w.WriteHeader(c.status)
			w.Write([]byte(c.body))
		})
		p, err := NewReplay(ReplayOptions{Target: Target{URL: h.URL + "/hook?key=1"}})
		if err != nil {
			t.Fatal(err)
		}
		f := p.Post(t.Context(), message("t", 1))
		if len(c.says) == 0 && f.Hint != "" {
			t.Errorf("%s: %q, nothing to say wanted", c.name, f.Hint)
		}
		for _, part := range c.says {
			if !strings.Contains(f.Hint, part) {
				t.Errorf("%s: %q lacks %q", c.name, f.Hint, part)
			}
		}
		if strings.ContainsRune(f.Hint, 0x1b) {
			t.Errorf("%s: %q could act on a terminal", c.name, f.Hint)
		}
		if len(h.requests()) != 1 {
			t.Errorf("%s: %d requests", c.name, len(h.requests()))
		}
	}
}

func TestHintsWhenThereIsNoAnswer(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	go func() {
		for {
			c, err := mute.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 1))
			c.Write([]byte("\x15\x03\x01\x00\x02"))
			c.Close()
		}
	}()
	plain := newHandler(t, nil)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for _, c := range []struct {
		name, url string
		says      []string
	}{
		{"refused", "http://" + closed.Addr().String(), []string{"nothing listens on " + closed.Addr().String()}},
		{"an unknown name", "http://no-such-host.invalid/", []string{"no-such-host.invalid", "check the host"}},
		{"TLS to a plain handler", "https://" + plain.Listener.Addr().String(), []string{"does not speak TLS", "http://"}},
		{"a certificate nobody knows", secure.URL, []string{"does not trust"}},
		{"no HTTP", "http://" + mute.Addr().String(), []string{"does not speak HTTP"}},
	} {
		p, err := NewReplay(ReplayOptions{Target: Target{URL: c.url}})
		if err != nil {
			t.Fatal(err)
		}
		f := p.Post(t.Context(), message("t", 1))
		if f.Status != 0 || f.Error == "" {
			t.Errorf("%s: %+v", c.name, f)
		}
		for _, part := range c.says {
			if !strings.Contains(f.Hint, part) {
				t.Errorf("%s: %q (%s) lacks %q", c.name, f.Hint, f.Error, part)
			}
		}
	}
	inVirtualTime(t, silence, func(v *virtual) {
		v.journal.append(message("t", 1))
		until(t, "it timed out", func() bool { return v.journal.outcome(1).Tries > 0 })
		f := v.journal.outcome(1)
		sameText(t, "the error", f.Error, "no answer within 15s")
		has(t, f.Hint, "answer first")
	})
}

func TestNoAnswerIsWaitedForLongerThan15Seconds(t *testing.T) {
	inVirtualTime(t, silence, func(v *virtual) {
		v.journal.append(message("t", 1))
		until(t, "it timed out", func() bool { return v.journal.outcome(1).Tries > 0 })
		if f := v.journal.outcome(1); f.Latency != timeLimit {
			t.Errorf("given up after %v", f.Latency)
		}
	})
}

func TestCredentialsInTheQueryReachTheHandlerAndNobodyElse(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		if q.URL.RawQuery != "token=s3cr3t-token" {
			t.Errorf("the query is %q", q.URL.RawQuery)
		}
		w.WriteHeader(500)
	})
	j := newJournal(t)
	address := h.Listener.Addr().String()
	r := forwardFrom(t, j, "http://"+address+"/hook?token=s3cr3t-token#s3cr3t-part")
	d := message("t", 1)
	d.Header["Authorization"] = []string{"Basic of-the-endpoint"}
	r.append(d)
	until(t, "it was tried", func() bool { return r.outcome(1).Tries > 0 })
	h.Close() // the next try is refused, with the address in its error
	until(t, "it was tried again", func() bool { return r.outcome(1).Tries > 1 })
	f := r.outcome(1)
	sameText(t, "the target", f.To, "http://"+address+"/hook?…")
	said := []string{r.To(), r.Queue().To, f.To, f.Error, f.Hint}
	for _, told := range forwards(r.status) {
		said = append(said, told.To, told.Error, told.Hint)
	}
	r.stop()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(j.Place()), "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the journal's files are %v (%v)", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		said = append(said, string(text))
	}
	for _, text := range said {
		if i := strings.Index(text, "s3cr3t"); i >= 0 {
			t.Errorf("a credential is in %.60q", text[i:])
		}
	}
}

func TestAnAnswerThatEchoesACredentialIsKeptWithoutIt(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		w.WriteHeader(400)
		fmt.Fprintln(w, q.Header.Get("Authorization"), q.Header.Get("X-Team"))
	})
	r := forwardTo(t, h.URL, func(o *Options) {
		o.Headers = http.Header{"Authorization": {"Bearer s3cr3t-token"}, "X-Team": {"media-people"}}
	})
	r.append(message("t", 1))
	f := r.settled(1)
	sameText(t, "the answer", f.Answer, "Bearer [redacted] media-people")
	sameText(t, "its body", string(f.Body), "Bearer [redacted] media-people\n")
}
