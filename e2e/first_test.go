//go:build unix

package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// The demo needs nothing else: Aspect's API answers, a handler fails now and then, and what
// it refused is taken when it is sent again.
func TestADemoHasEverythingAlive(t *testing.T) {
	t.Parallel()
	screen := inTerminal(t, 120, 32, program(t, "demo", "--seed", "7", "--rate", "60"))
	screen.shows("demo", "try:", "timeline", "forwarded")
	screen.press("4")
	screen.shows("success", "#2 verified", "Attempts", "ep_demo")
	screen.press("3")
	screen.shows("HANDLER", "422")
	screen.press("r")
	screen.shows("answered 204")
	screen.press("1")
	screen.find(`([a-z]+-\d\d) `) // an asset's name
	screen.press("q")
	screen.ends(0)
}

// Other commands' handlers are not for invented tasks.
func TestADemoForwardsToHandlersOfItsOwnOnly(t *testing.T) {
	for name, c := range map[string]struct {
		args        []string
		config, env string
		forwards    bool
	}{
		"on the line":          {[]string{"--forward-to", "URL"}, "", "", true},
		"in [demo]":            {nil, "[demo]\nforward-to = [\"URL\"]", "", true},
		"for every command":    {nil, "forward-to = [\"URL\"]", "", false},
		"in [[forward]]":       {nil, "[[forward]]\nto = \"URL\"", "", false},
		"in the environment":   {nil, "", "ASPECTOP_FORWARD_TO=URL", false},
		"all, and on the line": {[]string{"--forward-to", "URL"}, "[[forward]]\nto = \"http://127.0.0.1:1/\"", "ASPECTOP_FORWARD_TO=http://127.0.0.1:1/", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got atomic.Int32
			handler := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { got.Add(1) }))
			defer handler.Close()
			at := func(text string) string { return strings.ReplaceAll(text, "URL", handler.URL+"/hook") }
			args := []string{"demo", "--json", "--tasks", "1", "--duration", "2s"}
			for _, a := range c.args {
				args = append(args, at(a))
			}
			cmd := configured(t, with(program(t, args...), at(c.env)), at(c.config))
			stdout, stderr, code := finished(t, cmd)
			forwards := strings.Contains(stdout, `"type":"forward"`)
			if code != 0 || (got.Load() > 0) != c.forwards || forwards != c.forwards {
				t.Errorf("ended with %d, %d requests, forward lines %v: %s", code, got.Load(), forwards, stderr)
			}
		})
	}
}
