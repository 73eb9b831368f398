//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestAnEndpointIsCreatedUpdatedAndDeleted(t *testing.T) {
	api := aspectAPI(t)
	file := filepath.Join(t.TempDir(), "secret")
	made := oneLine(t, api.must(t, "endpoints", "create", "--url", "https://example.com/hooks", "--description", "Prod listener",
		"--event-type", "task.failed", "--rate-limit", "7", "--secret-out", file, "--json"))
	if made["type"] != "endpoint" || made["id"] != "ep_1" || made["url"] != "https://example.com/hooks" ||
		made["rate_limit"] != 7.0 || made["disabled"] != false || made["secret"] != nil || made["secret_file"] != file {
		t.Errorf("told %v", made)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != secret+"\n" {
		t.Errorf("the secret was written as %q, %v", b, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the secret's file is %v, %v", info.Mode(), err)
	}
	if e := api.endpoint("ep_1"); e["description"] != "Prod listener" || e["rate_limit"] != 7.0 || e["version"] != 1.0 {
		t.Errorf("Aspect has %v", e)
	}
	says(t, api.must(t, "endpoints", "update", "ep_1", "--url", "https://example.com/new", "--description", "", "--event-type", "task.*",
		"--rate-limit", "120", "--disable"), "updated webhook endpoint ep_1", "task.progress, task.completed, task.failed to https://example.com/new", "disabled")
	want := map[string]any{
		"id": "ep_1", "url": "https://example.com/new", "description": "", "rate_limit": 120.0, "version": 1.0, "disabled": true,
		"event_types": []any{"task.progress", "task.completed", "task.failed"},
	}
	if !reflect.DeepEqual(api.endpoint("ep_1"), want) {
		t.Errorf("Aspect has %v", api.endpoint("ep_1"))
	}
	says(t, api.must(t, "endpoints", "delete", "ep_1"), "deleted webhook endpoint ep_1")
	if len(api.registered()) != 0 {
		t.Errorf("Aspect has %v", api.registered())
	}
	says(t, api.must(t, "endpoints", "delete", "ep_1"), "does not exist in this account")
	if gone := oneLine(t, api.must(t, "endpoints", "delete", "ep_1", "--json")); gone["type"] != "endpoint_deleted" || gone["id"] != "ep_1" || gone["gone"] != true {
		t.Errorf("told %v", gone)
	}
	if _, stderr, code := api.asks(t, "endpoints", "update", "ep_1", "--url", "https://example.com", "--description", "", "--event-type", "task.*", "--rate-limit", "1", "--enable"); code != 1 {
		t.Errorf("the update of none ended with %d: %s", code, stderr)
	}
}

func TestASecretGoesOnlyWhereItIsSent(t *testing.T) {
	api := aspectAPI(t)
	taken := filepath.Join(t.TempDir(), "taken")
	if err := os.WriteFile(taken, []byte("another secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, where := range [][]string{nil, {"--secret-out", taken}, {"--secret-out", "/nowhere/secret"}, {"--secret-out", "s", "--show-secret"}} {
		stdout, stderr, code := api.asks(t, append([]string{"endpoints", "create", "--url", "https://example.com"}, where...)...)
		if code != 2 || stdout != "" {
			t.Errorf("%q ended with %d: %s%s", where, code, stdout, stderr)
		}
		says(t, stderr, "--secret-out")
	}
	if api.called("POST /webhooks/endpoints") {
		t.Error("an endpoint was created whose secret had nowhere to go")
	}
	if b, _ := os.ReadFile(taken); string(b) != "another secret" {
		t.Errorf("a file was overwritten with %q", b)
	}
	says(t, api.must(t, "endpoints", "create", "--url", "https://example.com", "--show-secret"), "its secret is "+secret)
	if line := oneLine(t, api.must(t, "endpoints", "create", "--url", "https://example.com", "--show-secret", "--json")); line["secret"] != secret {
		t.Errorf("told %v", line)
	}
}

func TestAnAnswerThatGotLostIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "secret")
	cmd := with(program(t, "endpoints", "create", "--url", "https://example.com", "--secret-out", file), "ASPECT_URL="+server.URL, "ASPECT_API_KEY="+apiKey)
	_, stderr, code := finished(t, cmd)
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, "may have been created", `described as "aspectop endpoints create 20`)
	if _, err := os.Stat(file); err == nil {
		t.Error("a file without a secret stays")
	}
}

func TestAnEndpointWithoutASecretIsUndone(t *testing.T) {
	deleted := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodDelete {
			deleted <- r.URL.Path
			fmt.Fprint(w, `{"success":true}`)
			return
		}
		fmt.Fprint(w, `{"endpoint":{"id":"ep_1"}}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "secret")
	cmd := with(program(t, "endpoints", "create", "--url", "https://example.com", "--secret-out", file), "ASPECT_URL="+server.URL, "ASPECT_API_KEY="+apiKey)
	_, stderr, code := finished(t, cmd)
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, "contains no secret", "ep_1 was deleted again")
	select {
	case path := <-deleted:
		if path != "/webhooks/endpoints/ep_1" {
			t.Errorf("deleted %s", path)
		}
	default:
		t.Error("nothing was deleted")
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file without a secret stays")
	}
}

func TestASecretThatCannotVerifyOrCannotBeSavedIsUndone(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secrets")
	for name, c := range map[string]struct {
		answered string
		vanishes bool
		says     string
	}{
		"no secret of Svix's":    {"hello", false, "the secret that Aspect returned is invalid"},
		"two":                    {secret + " " + secret, false, "the secret that Aspect returned is invalid"},
		"a folder that vanishes": {secret, true, "cannot save the secret"},
	} {
		t.Run(name, func(t *testing.T) {
			api := aspectAPI(t)
			api.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPost {
					return false
				}
				if c.vanishes {
					os.RemoveAll(folder)
				}
				api.set(func() { api.endpoints["ep_1"] = map[string]any{"url": "https://example.com"} })
				json.NewEncoder(w).Encode(map[string]any{"endpoint": map[string]any{"id": "ep_1"}, "secret": c.answered})
				return true
			}
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(folder, "secret")
			stdout, stderr, code := api.asks(t, "endpoints", "create", "--url", "https://example.com", "--secret-out", file)
			if code != 1 || stdout != "" {
				t.Errorf("ended with %d: %s", code, stdout)
			}
			says(t, stderr, c.says, "ep_1 was deleted again")
			if _, err := os.Stat(file); err == nil {
				t.Error("a file without a usable secret stays")
			}
			if got := api.registered(); len(got) != 0 {
				t.Errorf("endpoints are left: %v", got)
			}
		})
	}
}

func TestAnUpdateThatCreatesAnotherEndpointFailsAndLeavesNothing(t *testing.T) {
	api := aspectAPI(t)
	api.upserts = true
	args := []string{"endpoints", "update", "ep_9", "--url", "https://joe:s3cret@example.com/new", "--description", "x", "--event-type", "task.*", "--rate-limit", "7", "--enable"}
	stdout, stderr, code := api.asks(t, args...)
	if code != 1 || stdout != "" {
		t.Errorf("ended with %d and said %s", code, stdout)
	}
	says(t, stderr, `webhook endpoint "ep_9": not found`, `another one instead, "ep_1", which was deleted again`)
	if left := api.registered(); len(left) != 0 {
		t.Errorf("left at Aspect: %v", left)
	}
	api.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"detail":"no"}`)
		}
		return r.Method == http.MethodDelete
	}
	_, stderr, code = api.asks(t, args...)
	if code != 1 || strings.Contains(stderr, "s3cret") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	says(t, stderr, `webhook endpoint "ep_2"`, "still registered", "ASPECT_URL="+api.URL+" aspectop endpoints delete ep_2")
}

func TestAKeptEndpointThatIsGoneIsRegisteredAfresh(t *testing.T) {
	api := aspectAPI(t)
	api.upserts = true
	state := t.TempDir()
	watch := func(args ...string) *piped {
		address := freeAddress(t)
		args = append([]string{"watch", "--json", "--listen", address, "--public-url", ownTunnel(t, address)}, args...)
		p := inPipe(t, with(with(program(t, args...), api.environment()...), "XDG_STATE_HOME="+state))
		p.next("ready")
		return p
	}
	first := watch("--keep-endpoint")
	first.signal(syscall.SIGTERM)
	first.ends()
	api.set(func() { clear(api.endpoints) }) // in the dashboard
	second := watch()
	second.tells("registered webhook endpoint ep_3")
	says(t, second.errors(), `webhook endpoint "ep_1" from an earlier run had already been deleted`, `another one instead, "ep_2", which was deleted again`)
	if api.endpoint("ep_3") == nil || len(api.registered()) != 1 {
		t.Errorf("Aspect has %v", api.registered())
	}
	second.signal(syscall.SIGTERM)
	if code := second.ends(); code != 0 || len(api.registered()) != 0 {
		t.Errorf("ended with %d, and Aspect has %v", code, api.registered())
	}
}
