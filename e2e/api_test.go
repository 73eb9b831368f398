//go:build unix

package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// asks runs a command with the key of the stand-in.
func (a *standIn) asks(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	stdout, stderr, code = finished(t, with(program(t, args...), a.environment()...))
	if strings.Contains(stdout+stderr, apiKey) {
		t.Errorf("%q told the key: %s%s", args, stdout, stderr)
	}
	return stdout, stderr, code
}

// must is the output of a command that must not fail.
func (a *standIn) must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, code := a.asks(t, args...)
	if code != 0 || stderr != "" {
		t.Errorf("%q ended with %d: %s", args, code, stderr)
	}
	return stdout
}

// oneLine is the one JSON object that a command printed.
func oneLine(t *testing.T, text string) map[string]any {
	t.Helper()
	told := lines(t, text)
	if len(told) != 1 {
		t.Fatalf("not one line: %q", text)
	}
	return told[0]
}

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
	if e := api.endpoints["ep_1"]; e["description"] != "Prod listener" || e["rate_limit"] != 7.0 || e["version"] != 1.0 {
		t.Errorf("Aspect has %v", e)
	}
	says(t, api.must(t, "endpoints", "update", "ep_1", "--url", "https://example.com/new", "--description", "", "--event-type", "task.*",
		"--rate-limit", "120", "--disable"), "updated the webhook endpoint ep_1", "task.progress, task.completed, task.failed to https://example.com/new", "disabled")
	want := map[string]any{
		"id": "ep_1", "url": "https://example.com/new", "description": "", "rate_limit": 120.0, "version": 1.0, "disabled": true,
		"event_types": []any{"task.progress", "task.completed", "task.failed"},
	}
	if !reflect.DeepEqual(api.endpoints["ep_1"], want) {
		t.Errorf("Aspect has %v", api.endpoints["ep_1"])
	}
	says(t, api.must(t, "endpoints", "delete", "ep_1"), "deleted the webhook endpoint ep_1")
	if len(api.registered()) != 0 {
		t.Errorf("Aspect has %v", api.registered())
	}
	says(t, api.must(t, "endpoints", "delete", "ep_1"), "gone already")
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
	says(t, stderr, "holds no secret", "ep_1 was deleted again")
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

// lists has something for every list.
func lists(t *testing.T) *standIn {
	api := aspectAPI(t)
	api.messages = []string{
		`{"id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua","eventType":"task.completed","timestamp":"2026-11-23T12:00:00Z","eventId":"8b7a2e8f"}`,
		`{"id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ub","event_type":"漢字\u001b[31m\u202e<&>","timestamp":"2026-11-23T12:00:01Z","status":2}`,
		`{"strange":true}`,
	}
	attempt := `{"id":"atmpt_1","msg_id":"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua","endpointId":"ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua",` +
		`"url":"https://me:hush@example.com/webhooks/aspect/which/is/long","status":2,"responseStatusCode":500,"timestamp":"2026-11-23T12:00:02Z"}`
	api.attempts["msg_1"] = []string{attempt, attempt}
	api.attempts["ep_1"] = []string{attempt}
	api.tasks[upload] = fmt.Sprintf(`{"id":%q,"asset_id":"asset-1","user_id":"u","created":%q,"updated":%q,"features":{`+
		`"proxy":{"state":"completed"},"visual":{"state":"processing"},"transcription":{"state":"queued"},"scene_detect":{"state":"failed"}}}`,
		upload, time.Now().Add(-2*time.Hour).Format(time.RFC3339), time.Now().Add(-90*time.Minute).Format(time.RFC3339))
	api.tasks[another] = fmt.Sprintf(`{"id":%q,"asset_id":"asset-2","features":{"proxy":{"state":"na"}}}`, another)
	api.active = []string{api.tasks[upload]}
	return api
}

func TestListsAreTablesForPeople(t *testing.T) {
	api := lists(t)
	for _, c := range []struct {
		args []string
		rows int
		says []string
	}{
		{[]string{"messages"}, 3, []string{"SENT                 MESSAGE", "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  task.completed", "漢字[31m<&>", "fail", "not understood"}},
		{[]string{"messages", "--limit", "1"}, 1, []string{"msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua"}},
		{[]string{"attempts", "--message", "msg_1"}, 2, []string{"2026-11-23 12:00:02  fail 500  ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua  https://exa"}},
		{[]string{"attempts", "--endpoint", "ep_1"}, 1, []string{"fail 500  msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua"}},
		{[]string{"attempts", "--endpoint", "ep_1", "--legacy"}, 1, []string{"fail 500  msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua"}},
		{[]string{"tasks"}, 1, []string{upload + "  processing  1h ago   1/3 visual"}},
		{[]string{"tasks", another, upload}, 2, []string{another + "  completed            1/1"}},
	} {
		text := api.must(t, c.args...)
		says(t, text, c.says...)
		if n := strings.Count(text, "\n"); n != c.rows+1 {
			t.Errorf("%q has %d lines:\n%s", c.args, n, text)
		}
		for line := range strings.Lines(text) {
			if w := ansi.StringWidth(strings.TrimSuffix(line, "\n")); w > 80 {
				t.Errorf("%q has a line of %d cells: %s", c.args, w, line)
			}
		}
		if strings.ContainsAny(text, "\x1b\u202e") || strings.Contains(text, "hush") {
			t.Errorf("%q told %q", c.args, text)
		}
	}
	for _, call := range []string{"GET /webhooks/delivery-attempts", "GET /webhooks/endpoints/ep_1/deliveries"} {
		if !api.called(call) {
			t.Errorf("%s was not called", call)
		}
	}
}

func TestListsAreJSONForPrograms(t *testing.T) {
	api := lists(t)
	for _, c := range []struct {
		args []string
		kind string
		want map[string]any
	}{
		{[]string{"messages"}, "message", map[string]any{"id": "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", "event_type": "task.completed",
			"event_id": "8b7a2e8f", "status": nil, "sent": "2026-11-23T12:00:00.000000Z"}},
		{[]string{"attempts", "--message", "msg_1"}, "attempt", map[string]any{"id": "atmpt_1", "message_id": "msg_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua",
			"endpoint_id": "ep_2vdQ5mYpL0KxTq3nRfWcZbHs1Ua", "event_type": nil, "status": "fail", "response_status": 500.0, "tried": "2026-11-23T12:00:02.000000Z"}},
		{[]string{"tasks", upload}, "task", map[string]any{"task_id": upload, "asset_id": "asset-1", "state": "processing",
			"features": map[string]any{"proxy": "completed", "visual": "processing", "transcription": "queued", "scene_detect": "failed"}}},
	} {
		text := api.must(t, append(c.args, "--json")...)
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, `{"type":"`+c.kind+`","time":"2`) {
				t.Errorf("%q told %s", c.args, line)
			}
		}
		first := lines(t, text)[0]
		for key, value := range c.want {
			if !reflect.DeepEqual(first[key], value) {
				t.Errorf("%q: %s is %v, not %v", c.args, key, first[key], value)
			}
		}
		if raw, ok := first["raw"].(map[string]any); !ok || raw["id"] == nil {
			t.Errorf("%q: raw is %v", c.args, first["raw"])
		}
	}
	second := strings.Split(api.must(t, "messages", "--json"), "\n")[1]
	if !strings.Contains(second, `漢字\u001b[31m\u202e<&>`) || strings.ContainsRune(second, '\u202e') {
		t.Errorf("told %s", second)
	}
}

func TestListsOfNothingSaySo(t *testing.T) {
	api := aspectAPI(t)
	for _, args := range [][]string{{"messages"}, {"attempts", "--message", "msg_0"}, {"tasks"}} {
		stdout, stderr, code := api.asks(t, args...)
		if code != 0 || stdout != "" || !strings.Contains(stderr, "aspectop: ") {
			t.Errorf("%q ended with %d: %q %q", args, code, stdout, stderr)
		}
	}
}

func TestTasksThatAreNotThereAreNamed(t *testing.T) {
	api := lists(t)
	stdout, stderr, code := api.asks(t, "tasks", "nothing", upload, "nobody")
	if code != 1 || !strings.Contains(stdout, upload) {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	says(t, stderr, "no task nothing, nobody")
}

func TestCommandsOfTheAPIAreRefusedWithoutAKeyOrWhenWronglyUsed(t *testing.T) {
	api := aspectAPI(t)
	for _, c := range []struct {
		args []string
		env  []string
		says string
	}{
		{[]string{"tasks"}, nil, "ASPECT_API_KEY"},
		{[]string{"messages"}, nil, "ASPECT_API_KEY"},
		{[]string{"attempts", "--message", "msg_1"}, nil, "ASPECT_API_KEY"},
		{[]string{"endpoints", "delete", "ep_1"}, nil, "ASPECT_API_KEY"},
		{[]string{"endpoints", "create", "--url", "https://example.com", "--show-secret"}, nil, "ASPECT_API_KEY"},
		{[]string{"tasks"}, []string{"ASPECT_API_KEY=" + apiKey, "ASPECT_URL=nonsense"}, "ASPECT_URL"},
		{[]string{"tasks", ""}, api.environment(), "no id"},
		{[]string{"messages", "--limit", "0"}, api.environment(), "--limit"},
		{[]string{"messages", "all"}, api.environment(), `"all"`},
		{[]string{"attempts"}, api.environment(), "--message"},
		{[]string{"attempts", "--message", "m", "--endpoint", "e"}, api.environment(), "exclude"},
		{[]string{"attempts", "--message", "m", "--legacy"}, api.environment(), "--endpoint"},
		{[]string{"endpoints"}, api.environment(), "create, update or delete"},
		{[]string{"endpoints", "list"}, api.environment(), `"list"`},
		{[]string{"endpoints", "create", "--show-secret"}, api.environment(), "--url"},
		{[]string{"endpoints", "create", "--show-secret", "--url", "example.com"}, api.environment(), "https://"},
		{[]string{"endpoints", "create", "--show-secret", "--url", "https://example.com", "--rate-limit", "0"}, api.environment(), "--rate-limit"},
		{[]string{"endpoints", "update", "--url", "https://example.com"}, api.environment(), "by its id"},
		{[]string{"endpoints", "update", "ep_1", "--url", "https://example.com", "--enable"}, api.environment(), "--description, --event-type, --rate-limit"},
		{[]string{"endpoints", "delete"}, api.environment(), "by its id"},
		{[]string{"endpoints", "delete", "a", "b"}, api.environment(), `"b"`},
	} {
		stdout, stderr, code := finished(t, with(program(t, c.args...), c.env...))
		if code != 2 || stdout != "" {
			t.Errorf("%q ended with %d: %s%s", c.args, code, stdout, stderr)
		}
		says(t, stderr, c.says)
	}
	if len(api.calls) > 0 {
		t.Errorf("called %q all the same", api.calls)
	}
}

func TestTroubleWithTheAPIIsSaidInASentenceOfItsOwn(t *testing.T) {
	answering := func(status int, contentType, body string, header ...string) func(*testing.T) string {
		return func(t *testing.T) string {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", contentType)
				if len(header) == 2 {
					w.Header().Set(header[0], header[1])
				}
				w.WriteHeader(status)
				fmt.Fprint(w, body)
			}))
			t.Cleanup(server.Close)
			return server.URL
		}
	}
	const asJSON = "application/json"
	for _, c := range []struct {
		name   string
		server func(*testing.T) string
		args   []string
		code   int
		says   []string
	}{
		{"wrong key", answering(401, asJSON, `{"detail":"Invalid API key"}`), nil, 1, []string{"401", "Invalid API key", "does not know this API key"}},
		{"revoked key", answering(403, asJSON, `{"detail":"Key revoked"}`), nil, 1, []string{"403", "Key revoked", "belongs to another account"}},
		{"not there", answering(404, asJSON, `{"detail":"Not Found"}`), nil, 1, []string{"404", "ASPECT_URL"}},
		{"refused value", answering(422, asJSON, `{"detail":[{"loc":["query","limit"],"msg":"too much","type":"x"}]}`), nil, 1, []string{"422", "query.limit: too much"}},
		{"too many requests", answering(429, asJSON, `{"detail":"Slow down"}`, "Retry-After", "120"), nil, 1, []string{"429", "Slow down", "2m0s"}},
		{"its own failure", answering(500, "text/html", `<html><script>x()</script><h1>Oh dear</h1></html>`), nil, 1, []string{"500", "Oh dear", "Aspect has trouble"}},
		{"no list", answering(200, "text/html", `<html>Welcome to the WiFi</html>`), nil, 1, []string{"no list", "ASPECT_URL"}},
		{"nobody there", func(t *testing.T) string { return "http://" + freeAddress(t) }, nil, 1, []string{"connection refused", "ASPECT_URL"}},
		{"unproven identity", func(t *testing.T) string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the broken handshake
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, nil, 1, []string{"could not prove who it is"}},
		{"no answer", func(t *testing.T) string {
			end := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
			t.Cleanup(func() { close(end); server.Close() })
			return server.URL
		}, []string{"--timeout", "300ms"}, 124, []string{"time-out after 300ms", "did not answer"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cmd := with(program(t, append([]string{"messages", "--json"}, c.args...)...), "ASPECT_URL="+c.server(t), "ASPECT_API_KEY="+apiKey)
			stdout, stderr, code := finished(t, cmd)
			if code != c.code || stdout != "" {
				t.Errorf("ended with %d, not %d, and wrote %q", code, c.code, stdout)
			}
			e, _ := oneLine(t, stderr)["error"].(map[string]any)
			message, _ := e["message"].(string)
			says(t, message, c.says...)
			if strings.Contains(stderr, apiKey) {
				t.Errorf("told the key: %s", stderr)
			}
		})
	}
}
