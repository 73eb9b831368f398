package forward

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aspectop/feed"
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
)

// childJob holds, in the environment of a process that a test started, the
// journal and the handler that it is to forward from and to.
const childJob = "FORWARD_TEST_CHILD"

func TestMain(m *testing.M) {
	path, url, ok := strings.Cut(os.Getenv(childJob), " ")
	if !ok {
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, forwardUntilKilled(path, url))
	os.Exit(1)
}

func forwardUntilKilled(path, url string) error {
	j, err := sqlite.Open(path, journal.Options{})
	if err != nil {
		return err
	}
	reader, err := sqlite.OpenReader(path)
	if err != nil {
		return err
	}
	folded := feed.New(feed.Options{Journal: reader})
	if err := folded.Open(context.Background()); err != nil {
		return err
	}
	go folded.Run(context.Background())
	f, err := New(context.Background(), Options{Target: Target{URL: url}, Feed: folded, Journal: reader, Outcomes: j, Status: model.NewStatusLog(100), Resign: resign})
	if err != nil {
		return err
	}
	return f.Run(context.Background())
}

func TestKilledInTheMiddleEachArrivesAtLeastOnceAndInOrder(t *testing.T) {
	t.Parallel()
	const messages, kills = 600, 5
	h := newHandler(t, func(w http.ResponseWriter, q request) {
		if strings.HasSuffix(q.id(), "7") { // some take longer
			time.Sleep(3 * time.Millisecond)
		}
		w.WriteHeader(204)
	})
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := sqlite.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	forwardFrom(t, j, h.URL).stop() // so that the target is known
	for n := range messages {
		if err := j.Append(t.Context(), message(fmt.Sprint("t", n%11), n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for kill := 1; kill <= kills+1; kill++ {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childJob+"="+path+" "+h.URL)
		child.Stderr = os.Stderr
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		enough := messages * kill / (kills + 1)
		until(t, fmt.Sprintf("%d have come", enough), func() bool { return distinct(h.ids()) >= enough })
		child.Process.Kill()
		child.Wait()
	}
	got := h.ids()
	if extra := len(got) - messages; extra > kills*(2*maxInFlight+maxUnkept) {
		t.Errorf("%d came again", extra)
	} else {
		t.Logf("%d messages, killed %d times: %d came again", messages, kills, extra)
	}
	// What comes again comes in order too: a task's messages never step back
	// further than to where its cursor was, and none is skipped.
	newest := map[string]int{}
	for _, id := range got {
		var task, n int
		fmt.Sscanf(id, "msg_t%d_%d", &task, &n)
		key := fmt.Sprint(task)
		last, ok := newest[key]
		if !ok {
			last = task - 11
		}
		if n > last+11 {
			t.Errorf("task %d: message %d came after %d", task, n, last)
		}
		newest[key] = max(last, n)
	}
}

func distinct(ids []string) int {
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	return len(seen)
}
