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
	if gaveUp := end["forward_gave_up"]; gaveUp != 0.0 || got()+waiting != messages {
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
