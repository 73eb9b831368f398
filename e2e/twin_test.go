//go:build unix

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// streamOf is a server whose stream is what is sent on the channel.
func streamOf(t *testing.T, events <-chan string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			w.(http.Flusher).Flush()
			select {
			case text := <-events:
				fmt.Fprint(w, text)
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections)
	return s.URL
}

func TestAnEventIsOneWhicheverWayItCameFirst(t *testing.T) {
	verifier, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := map[string]int{}
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Errorf("%s does not verify: %v", r.Header.Get("svix-id"), err)
		}
		got[string(body)]++
	}))
	defer handler.Close()
	bodies := make([]string, 3)
	for i := range bodies {
		bodies[i] = tells(upload, "task.progress", time.Now().Add(time.Duration(i)*time.Millisecond), feature("visual", "queued"))
	}
	events := make(chan string)
	send := func(n int) { events <- fmt.Sprintf("id: %d\ndata: %s\n\n", n, bodies[n]) }
	path := t.TempDir() + "/journal.db"
	p := inPipe(t, watching(t, "--json", "--journal", path, "--sse", streamOf(t, events), "--forward-to", handler.URL))
	url := p.next("ready")["url"].(string)

	send(0)
	if e := p.next("event"); e["source"] != "sse" || e["secret"] != nil {
		t.Errorf("first came %v", e)
	}
	keeps(t, url, delivery{id: "msg_0", body: bodies[0]})
	if d := p.next("duplicate"); d["seq"] != 1.0 || d["id"] != "msg_0" || d["attempt"] != 2.0 || d["differs"] != false {
		t.Errorf("the webhook is %v", d)
	}
	keeps(t, url, delivery{id: "msg_1", body: bodies[1]})
	p.next("event")
	send(1)
	if d := p.next("duplicate"); d["seq"] != 3.0 || d["attempt"] != 2.0 {
		t.Errorf("the event of the stream is %v", d)
	}
	send(1)                                             // what the stream repeats is nothing
	events <- "event: ping\ndata: {\"time\":\"1\"}\n\n" // nor is this
	send(2)
	if e := p.next("event"); e["seq"] != 5.0 {
		t.Errorf("then came %v", e)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		n := len(got)
		mu.Unlock()
		if n == 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the handler has %d of 3", n)
		}
	}
	p.signal(syscall.SIGTERM)
	end := p.next("end")
	for key, want := range map[string]float64{"verified": 1, "unsigned": 2, "duplicate": 2, "rejected": 0, "forward_waiting": 0} {
		if end[key] != want {
			t.Errorf("%s is %v, not %v", key, end[key], want)
		}
	}
	p.ends()
	if !strings.Contains(p.errors(), `an event named "ping" is neither an event of Aspect nor a task`) {
		t.Errorf("it said %s", p.errors())
	}
	for body, n := range got {
		if n != 1 {
			t.Errorf("the handler got %d of %s", n, body)
		}
	}

	// The next run knows both ways, too.
	p = inPipe(t, watching(t, "--json", "--journal", path, "--sse", streamOf(t, events)))
	url = p.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_2", body: bodies[2]})
	if d := p.next("duplicate"); d["seq"] != 5.0 || d["id"] != "msg_2" {
		t.Errorf("in the next run the webhook is %v", d)
	}
	p.signal(syscall.SIGTERM)
	p.ends()
}

func TestNothingOfAStreamIsCalledVerified(t *testing.T) {
	events := make(chan string, 4)
	body := tells(upload, "task.progress", time.Now(), feature("visual", "queued"))
	events <- "data: " + body + "\n\ndata: {\"event_type\":\"asset.created\",\"event_id\":\"x\"}\n\n: done\n\n"
	p := inPipe(t, program(t, "watch", "--plain", "--journal", "memory", "--sse", streamOf(t, events)))
	p.line(`(asset.created)`)
	p.signal(syscall.SIGTERM)
	p.line(`(ended: 0 verified, 2 unsigned, 0 rejected)`)
	p.ends()

	events <- "data: " + body + "\n\n"
	screen := inTerminal(t, 140, 30, program(t, "watch", "--journal", "memory", "--sse", streamOf(t, events)))
	screen.shows("0 verified  1 unsigned")
	screen.press("3")
	screen.shows("sse")
	screen.press("q")
	screen.ends(0)
}
