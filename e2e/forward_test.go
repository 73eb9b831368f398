//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A handler that answers 500 once in seven, as one does that is being written.
func TestWhatAFlakyHandlerRefusesIsRetriedCountedAndSentByTheNextWatch(t *testing.T) {
	t.Parallel()
	const messages, tasks = 100, 20
	var mu sync.Mutex
	requests, taken := 0, map[string][]string{}
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if requests++; requests%7 == 0 {
			w.WriteHeader(500)
			return
		}
		id := r.Header.Get("svix-id")
		task := id[:len("msg_t00")]
		if ids := taken[task]; len(ids) > 0 && ids[len(ids)-1] == id {
			return // its answer came too late for the end of the first watch
		}
		taken[task] = append(taken[task], id)
	}))
	defer handler.Close()
	got := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, ids := range taken {
			n += len(ids)
		}
		return n
	}
	path := t.TempDir() + "/journal.db"
	watch := inPipe(t, watching(t, "--json", "--journal", path, "--forward-to", handler.URL))
	url := watch.next("ready")["url"].(string)
	for n := range messages {
		id := fmt.Sprintf("msg_t%02d_%03d", n%tasks, n)
		keeps(t, url, delivery{id: id, body: tells(fmt.Sprint("task-", n%tasks), "task.progress", time.Now(), feature("proxy", "queued"))})
	}
	watch.signal(syscall.SIGTERM)
	end := watch.next("end")
	if code := watch.ends(); code != 0 {
		t.Errorf("it ended with %d: %s", code, watch.errors())
	}
	waiting := int(end["forward_waiting"].(float64))
	const inFlight = 16 // at most, when the time for the end is up: they are taken, and wait
	if gaveUp := end["forward_gave_up"]; gaveUp != 0.0 || got()+waiting < messages || got()+waiting > messages+inFlight {
		t.Errorf("%d were delivered, and the end says %v", got(), end)
	}
	t.Logf("%d of %d were left", waiting, messages)

	watch = inPipe(t, watching(t, "--json", "--journal", path, "--forward-to", handler.URL))
	watch.next("ready")
	for deadline := time.Now().Add(patience); got() < messages; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d were delivered", got(), messages)
		}
	}
	watch.signal(syscall.SIGTERM)
	if end := watch.next("end"); end["forward_waiting"] != 0.0 || end["forward_gave_up"] != 0.0 {
		t.Errorf("the second run ended with %v", end)
	}
	mu.Lock()
	defer mu.Unlock()
	for task, ids := range taken {
		if want := slices.Compact(slices.Sorted(slices.Values(ids))); !slices.Equal(ids, want) {
			t.Errorf("%s got %v", task, ids)
		}
	}
}

// silent is the URL of a handler that never answers. The returned channel has a
// value for each request.
func silent(t *testing.T) (url string, asked chan struct{}) {
	t.Helper()
	asked = make(chan struct{}, 100)
	over := make(chan struct{})
	handler := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-over
	}))
	t.Cleanup(handler.Close)
	t.Cleanup(func() { close(over) })
	return handler.URL, asked
}

func TestAScreenSaysWhatIsStillToForwardAndASecondCtrlCEndsAtOnce(t *testing.T) {
	for _, first := range []string{"\x03", "q"} {
		handler, asked := silent(t)
		screen := inTerminal(t, 120, 24, watching(t, "--journal", "memory", "--forward-to", handler))
		url := screen.find(`receiving on (http://\S+)`)
		keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("proxy", "queued"))})
		<-asked
		screen.press(first)
		screen.shows("1 message still to forward: trying for up to 2s, ctrl+c again to stop")
		time.Sleep(100 * time.Millisecond) // a person is not quicker, and two at once are one
		screen.press("\x03")
		screen.ends(130)
	}
}

func TestLinesSayWhatIsStillToForward(t *testing.T) {
	t.Parallel()
	handler, asked := silent(t)
	watch := watching(t, "--plain", "--journal", "memory", "--forward-to", handler)
	p := inPipe(t, watch)
	url := p.line(`receiving on (http://\S+/webhooks/aspect)`)
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("proxy", "queued"))})
	<-asked
	p.signal(syscall.SIGINT)
	p.line(`(1 message still to forward: trying for up to 2s, ctrl\+c again to stop)`)
	p.line(`(0 given up, 1 not forwarded)`)
	if code := p.ends(); code != 0 {
		t.Errorf("it ended with %d: %s", code, p.errors())
	}
}
