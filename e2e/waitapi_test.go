//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"
)

func (a *standIn) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

// apiTask is a task as the API tells it.
func apiTask(id, state string) string {
	return `{"id":"` + id + `","asset_id":"a","features":{"visual":{"state":"` + state + `"}},"user_id":"u","created":"2026-11-23T12:00:00Z","updated":"` + time.Now().UTC().Format(time.RFC3339) + `"}`
}

func TestWaitAsksAgainForATaskThatAspectDidNotKnow(t *testing.T) {
	t.Parallel()
	api := aspectAPI(t)
	waiter := inPipe(t, with(program(t, "wait", upload, "--json"), api.environment()...))
	waiter.tells("Aspect does not know a task " + upload)
	api.set(func() { api.tasks[upload] = apiTask(upload, "completed") })
	if r := waiter.next("result"); r["task_id"] != upload || r["state"] != "completed" {
		t.Errorf("the result is %v", r)
	}
	if code := waiter.ends(); code != 0 {
		t.Errorf("ended with %d: %s", code, waiter.errors())
	}
}

func TestTheStateOfATaskThatAspectDoesNotKnowIsUnknown(t *testing.T) {
	api := aspectAPI(t)
	stdout, stderr, code := finished(t, with(program(t, "wait", upload, "--json", "--timeout", "1s"), api.environment()...))
	if r := lines(t, stdout); code != 124 || len(r) != 1 || r[0]["state"] != nil || r[0]["done"] != false {
		t.Errorf("ended with %d, %s", code, stdout)
	}
	says(t, stderr, "Aspect does not know a task "+upload)
}

func TestWaitThroughAWatchGoesOnWhenAspectKnowsTheTaskAgain(t *testing.T) {
	api := aspectAPI(t)
	api.active = []string{apiTask(upload, "processing")}
	journal := filepath.Join(t.TempDir(), "journal.db")
	watch := inPipe(t, with(watching(t, "--json", "--poll", "1s", "--journal", journal), api.environment()...))
	watch.next("event")
	waiter := inPipe(t, program(t, "wait", upload, "--json", "--journal", journal))
	waiter.tells("following the watch")
	api.set(func() { api.active = nil })
	waiter.tells("Aspect does not know a task " + upload)
	api.set(func() { api.tasks[upload] = apiTask(upload, "completed") })
	if r := waiter.next("result"); r["state"] != "completed" {
		t.Errorf("the result is %v", r)
	}
}

func TestWaitByTheAPIRefusesAPrefixOfSeveralTasks(t *testing.T) {
	api := aspectAPI(t)
	api.active = []string{apiTask("2e1c-1", "processing"), apiTask("2e1c-2", "failed"), apiTask("3", "processing")}
	stdout, stderr, code := finished(t, with(program(t, "wait", "2e1c"), api.environment()...))
	if code != 2 || stdout != "" {
		t.Errorf("ended with %d, %q", code, stdout)
	}
	says(t, stderr, `"2e1c" fits several tasks (2e1c-1, 2e1c-2)`)

	_, stderr, code = finished(t, with(program(t, "wait", "2e1c-2"), api.environment()...))
	if code != 1 {
		t.Errorf("a full id ended with %d: %s", code, stderr)
	}
}

func TestWaitEndsWhenAspectRejectsTheKey(t *testing.T) {
	api := aspectAPI(t)
	_, stderr, code := finished(t, with(program(t, "wait", upload), "ASPECT_URL="+api.URL, "ASPECT_API_KEY=sk_another"))
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, "401 Unauthorized: Invalid API key")
}

func TestWaitSaysThatAspectRefusesATask(t *testing.T) {
	api := aspectAPI(t)
	api.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/tasks/"+upload {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"detail":"No access"}`)
		return true
	}
	waiter := inPipe(t, with(program(t, "wait", upload), api.environment()...))
	waiter.tells("GET /tasks/" + upload + ": 403 Forbidden")
}
