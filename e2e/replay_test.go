//go:build unix

package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/model"
)

// oldJournal holds deliveries of yesterday, of a webhook and from the API.
func oldJournal(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	j, err := sqlite.Open(path, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	at := time.Now().Add(-24 * time.Hour)
	for _, d := range []model.Delivery{
		{ID: "msg_old", Source: model.SourceWebhook, Secret: "default", Body: []byte(tells(upload, "task.failed", at, feature("visual", "failed"))),
			Header: http.Header{
				"Svix-Id": {"msg_old"}, "Svix-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Svix-Signature": {"v1,aaaa"},
			}},
		{ID: "api:" + upload + ":1", Source: model.SourceAPI, Body: []byte(`{"id":"` + upload + `","features":{"visual":{"state":"queued"}}}`)},
	} {
		d.Received = at
		if err := j.Append(context.Background(), &d); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// replaying is a replay with the handler's secret in the environment.
func replaying(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := program(t, append([]string{"replay", "--secret-env", "HANDLER_SECRET"}, args...)...)
	return finished(t, with(cmd, "HANDLER_SECRET="+handlerSecret))
}

func TestKeptDeliveriesArePostedAgainInTheOrderOfTheirArrival(t *testing.T) {
	deliveries := some()
	deliveries = append(deliveries, deliveries[1]) // which Svix tried once more
	path, _, _ := journalOf(t, deliveries...)      // a watch that still runs
	h := newHandler(t, nil)
	stdout, stderr, code := replaying(t, "--to", h.URL+"/hooks", "--journal", path, "--json")
	if code != 0 || stderr != "" {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	if got, want := h.ids(), []string{"msg_1", "msg_2", "msg_3", "msg_4"}; !slices.Equal(got, want) {
		t.Fatalf("the handler got %q, not %q", got, want)
	}
	for i := range 4 {
		if r, body := h.request(i); body != deliveries[i].body || r.URL.Path != "/hooks" {
			t.Errorf("message %d came to %s as %q", i, r.URL.Path, body)
		}
		h.verifies(t, i, handlerSecret)
	}
	told := lines(t, stdout)
	if len(told) != 5 {
		t.Fatalf("told %s", stdout)
	}
	for i, line := range told[:4] {
		if line["type"] != "forward" || line["seq"] != float64(i+1) || line["to"] != h.URL+"/hooks" ||
			line["status"] != 204.0 || line["resigned"] != true || line["error"] != nil {
			t.Errorf("line %d is %v", i, line)
		}
	}
	if end := told[4]; end["type"] != "summary" || end["posted"] != 4.0 || end["delivered"] != 4.0 || end["failed"] != 0.0 || end["left_out"] != 0.0 {
		t.Errorf("the last line is %v", end)
	}
}

func TestAReplayPicksByFilterAndTime(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--filter", "state:failed"}, []string{"msg_1", "msg_2"}}, // the task as it is now
		{[]string{"--filter", "became:failed"}, []string{"msg_2"}},
		{[]string{"--filter", "is:done task:2e1c"}, []string{"msg_1", "msg_2"}}, // the task as it is now
		{[]string{"--since", "1h"}, []string{"msg_1", "msg_2", "msg_3", "msg_4"}},
	} {
		h := newHandler(t, nil)
		stdout, stderr, code := replaying(t, append(c.args, "--to", h.URL, "--journal", path)...)
		if got := h.ids(); code != 0 || !slices.Equal(got, c.want) {
			t.Errorf("%q posted %q, not %q, and ended with %d: %s", c.args, got, c.want, code, stderr)
		}
		says(t, stdout, fmt.Sprintf("posted %d to %s/: %d accepted, 0 failed", len(c.want), h.URL, len(c.want)))
	}
	for _, args := range [][]string{{"--filter", "task:beef"}, {"--since", "2100-01-01T00:00:00Z"}} {
		h := newHandler(t, nil)
		_, stderr, code := replaying(t, append(args, "--to", h.URL, "--journal", path)...)
		if code != 0 || len(h.ids()) != 0 {
			t.Errorf("%q posted %q and ended with %d", args, h.ids(), code)
		}
		says(t, stderr, "nothing to post")
	}
}

func TestAReplayMayGiveNewIDs(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	h := newHandler(t, nil)
	_, stderr, code := replaying(t, "--to", h.URL, "--journal", path, "--new-id")
	ids := h.ids()
	if code != 0 || len(ids) != 4 {
		t.Fatalf("ended with %d after %q: %s", code, ids, stderr)
	}
	for i, id := range ids {
		if !strings.HasPrefix(id, "msg_") || len(id) < 20 || slices.Contains(ids[:i], id) {
			t.Errorf("the ids are %q", ids)
		}
		h.verifies(t, i, handlerSecret)
	}
}

func TestOldSignaturesArePostedVerbatimWithAWarning(t *testing.T) {
	h := newHandler(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) })
	cmd := program(t, "replay", "--verbatim", "--to", h.URL, "--journal", oldJournal(t))
	stdout, stderr, code := finished(t, cmd) // without a secret
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, "older than 5 minutes", "1 of 1 deliveries were not accepted", "skipped 1 that did not arrive by webhook")
	says(t, stdout, "answered 400 Bad Request", "without --verbatim it is re-signed", "1 failed")
	if r, _ := h.request(0); r.Header.Get("svix-signature") != "v1,aaaa" {
		t.Errorf("the handler got the signature %q", r.Header.Get("svix-signature"))
	}

	h = newHandler(t, nil)
	stdout, stderr, code = replaying(t, "--to", h.URL, "--journal", oldJournal(t))
	if code != 0 || strings.Contains(stderr, "older") {
		t.Errorf("re-signed it ended with %d: %s", code, stderr)
	}
	says(t, stdout, "task.failed of task 2e1c7e42: answered 204", "re-signed")
	h.verifies(t, 0, handlerSecret)
}

func TestADryRunPostsNothing(t *testing.T) {
	h := newHandler(t, nil)
	path := oldJournal(t)
	stdout, _, code := replaying(t, "--to", h.URL+"/hooks", "--journal", path, "--dry-run")
	says(t, stdout, "task.failed of task 2e1c7e42", "would be posted")
	asJSON, _, code2 := replaying(t, "--to", h.URL+"/hooks", "--journal", path, "--dry-run", "--json")
	told := lines(t, asJSON)
	if len(told) != 1 || told[0]["type"] != "planned" || told[0]["id"] != "msg_old" || told[0]["task_id"] != upload ||
		told[0]["event_type"] != "task.failed" || told[0]["resigned"] != true || told[0]["received"] == nil {
		t.Errorf("told %s", asJSON)
	}
	if code != 0 || code2 != 0 || len(h.ids()) != 0 {
		t.Errorf("posted %q, ended with %d and %d", h.ids(), code, code2)
	}
}

func TestAReplayStopsWhereNobodyAnswers(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	address := freeAddress(t)
	stdout, stderr, code := replaying(t, "--to", "http://"+address, "--journal", path)
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, "no answer from http://"+address+"/ 3 times in a row")
	says(t, stdout, "connection refused", "stopped after 3 of ", "0 accepted, 3 failed")
	if hint := "nothing listens on " + address; strings.Count(stdout, hint) != 1 {
		t.Errorf("not said once: %q\n%s", hint, stdout)
	}
}

func TestAReplayGoesOnAfterAFailure(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	h := newHandler(t, func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 2 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	stdout, stderr, code := replaying(t, "--to", h.URL+"?token=hush", "--journal", path, "--json")
	if first, _ := h.request(0); first.URL.RawQuery != "token=hush" {
		t.Errorf("posted to %s", first.URL)
	}
	if strings.Contains(stdout+stderr, "hush") {
		t.Errorf("told the handler's credentials: %s%s", stdout, stderr)
	}
	told := lines(t, stdout)
	if code != 1 || len(told) != 5 || told[1]["status"] != 500.0 || told[1]["error"] == nil || told[4]["failed"] != 1.0 || told[4]["delivered"] != 3.0 {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	says(t, stderr, `{"error":{"code":"failed","message":"1 of 4 deliveries`)
}

func TestAnInterruptedReplayTellsHowFarItCame(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	arrived, end := make(chan struct{}), make(chan struct{})
	h := newHandler(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 2 { // which never is answered
			close(arrived)
			<-end
		}
	})
	defer close(end)
	p := inPipe(t, with(program(t, "replay", "--to", h.URL, "--journal", path, "--json"), "ASPECT_WEBHOOK_SECRET="+secret))
	<-arrived
	p.signal(syscall.SIGINT)
	if s := p.next("summary"); s["posted"] != 2.0 || s["delivered"] != 1.0 || s["failed"] != 1.0 {
		t.Errorf("the summary is %v", s)
	}
	if code := p.ends(); code != 130 {
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), `"code":"interrupted"`, "after posting 2")
}

func TestAReplayThatCannotBeIsRefused(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "journal.db")
	if err := os.Rename(oldJournal(t), newer); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	broken := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("no journal\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	key, to := "ASPECT_WEBHOOK_SECRET="+secret, "http://127.0.0.1:1"
	for _, c := range []struct {
		name string
		args []string
		env  []string
		code int
		says []string
	}{
		{"no handler", nil, []string{key}, 2, []string{"--to is missing"}},
		{"a handler that is no URL", []string{"--to", "http:localhost"}, []string{key}, 2, []string{"--to", "http://"}},
		{"no secret", []string{"--to", to}, nil, 2, []string{"ASPECT_WEBHOOK_SECRET", "--secret-env"}},
		{"a secret that is none", []string{"--to", to}, []string{"ASPECT_WEBHOOK_SECRET=whsec_!!!hush!!!"}, 2, []string{"ASPECT_WEBHOOK_SECRET", "base64"}},
		{"verbatim with a new id", []string{"--to", to, "--verbatim", "--new-id"}, []string{key}, 2, []string{"--verbatim", "--new-id"}},
		{"a bad filter", []string{"--to", to, "--filter", "stat:failed"}, []string{key}, 2, []string{"stat:failed"}},
		{"a stray argument", []string{"--to", to, "all"}, []string{key}, 2, []string{`"all"`}},
		{"no journal", []string{"--to", to}, []string{key}, 3, []string{"no journal", "aspectop watch"}},
		{"a journal of a newer version", []string{"--to", to, "--journal", newer}, []string{key}, 3, []string{newer, "99", "update aspectop"}},
		{"no journal but something else", []string{"--to", to, "--journal", broken}, []string{key}, 3, []string{broken, "nothing was changed"}},
		{"a journal in memory", []string{"--to", to, "--journal", "memory"}, []string{key}, 2, []string{"a journal in memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := finished(t, with(program(t, append([]string{"replay"}, c.args...)...), c.env...))
			if code != c.code || stdout != "" {
				t.Errorf("ended with %d, not %d, and wrote %q", code, c.code, stdout)
			}
			says(t, stderr, c.says...)
			if strings.Contains(stderr, "hush") {
				t.Errorf("told a secret: %s", stderr)
			}
		})
	}
}
