//go:build unix

package e2e

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
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
		{[]string{"tasks", ""}, api.environment(), "id is empty"},
		{[]string{"messages", "--limit", "0"}, api.environment(), "--limit"},
		{[]string{"messages", "all"}, api.environment(), `"all"`},
		{[]string{"attempts"}, api.environment(), "--message"},
		{[]string{"attempts", "--message", "m", "--endpoint", "e"}, api.environment(), "cannot be used together"},
		{[]string{"endpoints"}, api.environment(), "create, update or delete"},
		{[]string{"endpoints", "list"}, api.environment(), `"list"`},
		{[]string{"endpoints", "create", "--show-secret"}, api.environment(), "--url"},
		{[]string{"endpoints", "create", "--show-secret", "--url", "example.com"}, api.environment(), "https://"},
		{[]string{"endpoints", "create", "--show-secret", "--url", "https://example.com", "--rate-limit", "0"}, api.environment(), "--rate-limit"},
		{[]string{"endpoints", "update", "--url", "https://example.com"}, api.environment(), "no endpoint given"},
		{[]string{"endpoints", "update", "ep_1", "--url", "https://example.com", "--enable"}, api.environment(), "--description, --event-type, --rate-limit"},
		{[]string{"endpoints", "delete"}, api.environment(), "no endpoint given"},
		{[]string{"endpoints", "delete", "a", "b"}, api.environment(), `"b"`},
	} {
		stdout, stderr, code := finished(t, with(program(t, c.args...), c.env...))
		if code != 2 || stdout != "" {
			t.Errorf("%q ended with %d: %s%s", c.args, code, stdout, stderr)
		}
		says(t, stderr, c.says)
	}
	if len(api.asked()) > 0 {
		t.Errorf("called %q all the same", api.asked())
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
		{"its own failure", answering(500, "text/html", `<html><script>x()</script><h1>Oh dear</h1></html>`), nil, 1, []string{"500", "Oh dear", "server error"}},
		{"no list", answering(200, "text/html", `<html>Welcome to the WiFi</html>`), nil, 1, []string{"no list", "ASPECT_URL"}},
		{"nobody there", func(t *testing.T) string { return "http://" + freeAddress(t) }, nil, 1, []string{"connection refused", "ASPECT_URL"}},
		{"unproven identity", func(t *testing.T) string {
			server := httptest.NewUnstartedServer(http.NotFoundHandler())
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the broken handshake
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, nil, 1, []string{"no secure connection to"}},
		{"no answer", func(t *testing.T) string {
			end := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
			t.Cleanup(func() { close(end); server.Close() })
			return server.URL
		}, []string{"--timeout", "300ms"}, 124, []string{"timed out after 300ms", "did not answer"}},
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

func TestAnInterruptedQuestionEndsAtOnce(t *testing.T) {
	asked, end := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-end
	}))
	defer server.Close()
	defer close(end)
	p := inPipe(t, with(program(t, "tasks"), "ASPECT_URL="+server.URL, "ASPECT_API_KEY="+apiKey))
	<-asked
	p.signal(syscall.SIGINT)
	if code := p.ends(); code != 130 {
		t.Errorf("ended with %d", code)
	}
	says(t, p.errors(), "interrupted: GET /tasks/active")
}
