//go:build unix

package e2e

import (
	"fmt"
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

func TestAPICommandsReportUsageErrors(t *testing.T) {
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
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		args   []string
		code   int
		says   []string
	}{
		"wrong key": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"detail":"Invalid API key"}`)
		}, nil, 1, []string{"401", "Invalid API key", "does not know this API key"}},
		"no answer": {func(http.ResponseWriter, *http.Request) { <-end }, []string{"--timeout", "300ms"}, 124, []string{"timed out after 300ms", "did not answer"}},
	} {
		server := httptest.NewServer(c.answer)
		cmd := with(program(t, append([]string{"messages", "--json"}, c.args...)...), "ASPECT_URL="+server.URL, "ASPECT_API_KEY="+apiKey)
		stdout, stderr, code := finished(t, cmd)
		if code != c.code || stdout != "" || strings.Contains(stderr, apiKey) {
			t.Errorf("%s: ended with %d, not %d, and wrote %q and %q", name, code, c.code, stdout, stderr)
		}
		e, _ := oneLine(t, stderr)["error"].(map[string]any)
		message, _ := e["message"].(string)
		says(t, message, c.says...)
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
