//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
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

// A handler that verifies gets what it can verify.
func TestADemoSignsWithTheSecretOfYourHandler(t *testing.T) {
	t.Parallel()
	h := newHandler(t, nil)
	args := []string{"demo", "--json", "--tasks", "1", "--duration", "2s", "--forward-secret-env", "MINE"}
	stdout, stderr, code := finished(t, with(program(t, append(args, "--forward-to", h.URL)...), "MINE="+handlerSecret))
	if code != 0 || len(h.ids()) == 0 {
		t.Fatalf("ended with %d: %s%s", code, stderr, stdout)
	}
	h.verifies(t, 0, handlerSecret)
	if _, stderr, code := finished(t, with(program(t, args...), "MINE="+handlerSecret)); code != 2 {
		t.Errorf("without a handler it ended with %d: %s", code, stderr)
	}
}

// A title that nothing shows is a mistake on the line, and waits elsewhere.
func TestATitleNeedsSomethingThatShowsIt(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	for name, c := range map[string]struct {
		args []string
		env  string
		code int
		says string
	}{
		"demo":                {[]string{"demo", "--plain", "--title", "x", "--duration", "1s"}, "", 2, "--title needs something that shows it"},
		"present":             {[]string{"demo", "--json", "--present", "--duration", "1s"}, "", 2, "--present needs a screen"},
		"view":                {[]string{"view", "--json", "--title", "x", "--journal", path}, "", 2, "--title needs"},
		"export":              {[]string{"export", "--title", "x", "--journal", path}, "", 2, "--title is for --format html"},
		"in the environment":  {[]string{"demo", "--json", "--duration", "100ms"}, "ASPECTOP_TITLE=x", 0, `"type":"end"`},
		"export, environment": {[]string{"export", "--journal", path}, "ASPECTOP_TITLE=x", 0, `"type":"delivery"`},
		"report":              {[]string{"export", "--format", "html", "--title", "Acme\x1b[31m " + strings.Repeat("long ", 40), "--journal", path}, "", 0, "<h1>Acme[31m long long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, stderr, code := finished(t, with(program(t, c.args...), c.env))
			if code != c.code {
				t.Errorf("ended with %d: %s", code, stderr)
			}
			says(t, stdout+stderr, c.says)
			if strings.Contains(stdout, strings.Repeat("long ", 17)) {
				t.Error("the title is wider than 80 cells")
			}
		})
	}
}

func TestAScreenStartsInPresentation(t *testing.T) {
	t.Parallel()
	screen := inTerminal(t, 120, 32, program(t, "demo", "--seed", "7", "--present", "--title", "Acme uploads"))
	screen.shows("Acme uploads", "processing")
	screen.showsNot("verified")
	screen.press("P")
	screen.shows("verified", "try:")
	screen.press("q")
	screen.ends(0)
}

// A key that Aspect refuses ends what could receive nothing without it, and is told and tried
// again beside what can.
func TestARefusedKeyEndsWhatNeedsIt(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
		api := aspectAPI(t)
		api.instead = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprint(w, `{"detail":"no"}`)
			return true
		}
		for name, args := range map[string][]string{
			"a key alone": {"watch", "--json"},
			"--poll":      {"watch", "--json", "--poll", "1s"},
			"--register":  {"watch", "--json", "--register", "--listen", "127.0.0.1:0", "--public-url", "https://dev.example.com", "--probe=off"},
		} {
			t.Run(fmt.Sprint(status, " ", name), func(t *testing.T) {
				_, stderr, code := finished(t, with(program(t, args...), api.environment()...))
				if code != 3 {
					t.Errorf("ended with %d: %s", code, stderr)
				}
				says(t, stderr, "check ASPECT_API_KEY")
			})
		}
		t.Run(fmt.Sprint(status, " beside a secret"), func(t *testing.T) {
			p := inPipe(t, with(watching(t, "--json", "--poll", "200ms"), api.environment()...))
			p.next("ready")
			p.says(`(check ASPECT_API_KEY)`)
			api.mu.Lock()
			api.instead = nil
			api.mu.Unlock()
			p.says(`(recovered)`)
			p.signal(syscall.SIGTERM)
			if code := p.ends(); code != 0 {
				t.Errorf("ended with %d: %s", code, p.errors())
			}
		})
	}
}

// Commands of curl show what a handler answers, and whoever exports old ones is warned.
func TestCurlShowsStatusesAndOldSignaturesAreTold(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("ASPECTOP_REQUIRE_NODE") != "" { // the gate installs both
			t.Fatal(err)
		}
		t.Skip("runs where curl is, as in the gate")
	}
	path, url, _ := journalOf(t, some()...)
	export := func(args ...string) (stdout, stderr string) {
		stdout, stderr, code := finished(t, program(t, append([]string{"export", "--format", "curl", "--journal", path, "--to", url}, args...)...))
		if code != 0 {
			t.Fatalf("ended with %d: %s", code, stderr)
		}
		return stdout, stderr
	}
	commands, stderr := export()
	if strings.Contains(stderr, "refuse") {
		t.Errorf("fresh signatures are called old: %s", stderr)
	}
	sh := exec.Command("sh")
	sh.Stdin = strings.NewReader(commands)
	out, err := sh.CombinedOutput()
	if n := strings.Count(string(out), " 204 #"); err != nil || n != strings.Count(commands, "\n") {
		t.Errorf("%d of %d say 204, %v: %s", n, strings.Count(commands, "\n"), err, out)
	}
}
