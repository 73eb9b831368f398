//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// eventStream answers with one event, and passes on the request's header.
func eventStream(asked chan<- http.Header) http.HandlerFunc {
	body := tells(upload, "task.progress", time.Now(), feature("visual", "queued"))
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- r.Header:
		default:
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "id: 1\ndata: %s\n\n", body)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func TestTheKeyGoesToAnEventStreamAtAspectOnly(t *testing.T) {
	api := aspectAPI(t)
	asked := make(chan http.Header, 1)
	stream := eventStream(asked)
	api.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/events" {
			stream(w, r)
			return true
		}
		return false
	}
	elsewhere := httptest.NewServer(stream)
	t.Cleanup(elsewhere.Close)
	t.Cleanup(elsewhere.CloseClientConnections)
	t.Cleanup(api.CloseClientConnections)
	for url, want := range map[string]string{
		api.URL + "/events": "Bearer " + apiKey,
		strings.Replace(api.URL, "127.0.0.1", "localhost", 1) + "/events": "",
		elsewhere.URL: "",
	} {
		p := inPipe(t, with(program(t, "watch", "--json", "--sse", url), api.environment()...))
		p.next("event")
		if got := (<-asked).Get("Authorization"); got != want {
			t.Errorf("%s was sent %q, want %q", url, got, want)
		}
		p.signal(syscall.SIGINT)
		p.ends()
		if said := strings.Contains(p.errors(), "the API key is not sent to it"); said != (want == "") {
			t.Errorf("%s: it said %s", url, p.errors())
		}
	}
}

func TestAnEventStreamWithAPasswordInItsURLIsRefused(t *testing.T) {
	_, stderr, code := finished(t, program(t, "watch", "--json", "--sse", "http://user:hunter2@127.0.0.1:1/"))
	if code != 2 || strings.Contains(stderr, "hunter2") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	says(t, stderr, "--sse", "must not contain a user or password")
}
