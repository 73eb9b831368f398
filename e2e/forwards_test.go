//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// wait waits until the handler has got that many messages.
func (h *handler) wait(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patience); len(h.ids()) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the handler got %q, not %d messages", h.ids(), n)
		}
	}
}

func TestEachHandlerOfTheConfigFileGetsWhatItAsksFor(t *testing.T) {
	failures, all, other := newHandler(t, nil), newHandler(t, nil), newHandler(t, nil)
	var secured atomic.Int32
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { secured.Add(1) }))
	t.Cleanup(secure.Close)
	list := func(filter string) string {
		return ("[filters]\nbad = \"state:failed,cancelled\"\n\n[[forward]]\nto = \"" + strings.TrimPrefix(failures.URL, "http://") + "\"\nname = \"failures\"\nfilter = \"" + filter + "\"\n" +
			"headers = { X-Team = \"media\", User-Agent = \"mine\" }\nheader-env = { Authorization = \"HANDLER_AUTH\" }\n" +
			"\n[[forward]]\nto = \"" + all.URL + "\"\n\n[[forward]]\nto = \"" + secure.URL + "\"\ninsecure = true\n")
	}
	journal := filepath.Join(t.TempDir(), "journal.db")
	run := func(config string, args ...string) *piped {
		return inPipe(t, configured(t, with(watching(t, append(args, "--journal", journal)...), "HANDLER_AUTH=Bearer hush"), config))
	}
	watch := run(list("@bad -task:nothing"), "--plain")
	url := watch.line(`receiving on (\S+)`)
	for _, d := range some() {
		keeps(t, url, d)
	}
	all.wait(t, 4)
	failures.wait(t, 1)
	told := map[string]int{}
	for range 1 + 4 + 4 {
		told[watch.line(`forwarded #\d to (\S+): answered 20`)]++
	}
	if told["failures"] != 1 || told[all.URL+"/"] != 4 || told[secure.URL+"/"] != 4 {
		t.Errorf("the lines tell of %v", told)
	}
	for end := time.Now().Add(patience); secured.Load() < 4; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the handler with a certificate of its own got %d", secured.Load())
		}
	}
	r, _ := failures.request(0)
	if r.Header.Get("X-Team") != "media" || r.Header.Get("User-Agent") != "mine" || r.Header.Get("Authorization") != "Bearer hush" {
		t.Errorf("the handler got the headers %v", r.Header)
	}
	if r, _ := all.request(0); r.Header.Get("X-Team") != "" || r.Header.Get("Authorization") != "" {
		t.Errorf("another handler got the headers %v", r.Header)
	}
	watch.old()
	if text := watch.errors(); strings.Contains(text, "hush") {
		t.Errorf("told a secret: %s", text)
	}

	screen := inTerminal(t, 100, 30, configured(t, with(watching(t, "--journal", journal), "HANDLER_AUTH=Bearer hush"), list("@bad")))
	screen.shows("receiving")
	screen.press("3")
	screen.shows("test message")
	screen.press("kk") // to the one that failed
	screen.shows("failures answered 204")
	screen.press("q")
	screen.ends(0)

	// What the filter left out is not owed, whatever the filter is later.
	watch = run(list("type:task"), "--json")
	url, _ = watch.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_5", body: tells(another, "task.progress", time.Now(), feature("visual", "queued"))})
	all.wait(t, 5)
	failures.wait(t, 2)
	if got := failures.ids(); !slices.Equal(got, []string{"msg_2", "msg_5"}) {
		t.Errorf("it got %q", got)
	}
	watch.old()

	// The flag and the variable replace the whole list.
	for i, watching := range []*exec.Cmd{
		watching(t, "--json", "--journal", journal, "--forward-to", other.URL),
		with(watching(t, "--json", "--journal", journal), "ASPECTOP_FORWARD_TO="+other.URL),
	} {
		watch = inPipe(t, configured(t, watching, list("type:task")))
		url, _ = watch.next("ready")["url"].(string)
		keeps(t, url, delivery{id: fmt.Sprint("msg_6", i), body: tells(another, "task.failed", time.Now(), feature("visual", "failed"))})
		other.wait(t, i+1)
		watch.old()
	}
	if got := append(failures.ids(), all.ids()...); slices.ContainsFunc(got, func(id string) bool { return strings.HasPrefix(id, "msg_6") }) {
		t.Errorf("the handlers of the file got %q", got)
	}
}

func TestHandlersAndFiltersOfTheConfigFileThatCannotBe(t *testing.T) {
	const to = "[[forward]]\nto = \":1\"\n"
	journal, _, watch := journalOf(t, some()...)
	watch.old()
	for _, c := range []struct {
		name, file string
		args       []string
		code       int
		says       []string
	}{
		{"unknown key", to + "path = \"x\"\n", nil, 2, []string{"config.toml:3: ", `"path"`}},
		{"given twice", to + to, nil, 2, []string{"config.toml:4: ", "twice"}},
		{"given twice in other words", to + "[[forward]]\nto = \"http://LOCALHOST:1/\"\n", nil, 2, []string{"config.toml:4: ", "twice"}},
		{"password", "[[forward]]\nto = \"http://me:hush@localhost/\"\n", nil, 2, []string{"config.toml:2: ", "header-env"}},
		{"signature", to + "headers = { svix-id = \"x\" }\n", nil, 2, []string{"config.toml:3: ", "Svix-Id"}},
		{"credential", to + "headers = { Authorization = \"hush\" }\n", nil, 2, []string{"config.toml:3: ", "header-env"}},
		{"variable that is not set", to + "header-env = { Authorization = \"NOWHERE\" }\n", nil, 2, []string{"config.toml:3: ", "NOWHERE"}},
		{"filter by what is not in a message", to + "filter = \"is:done\"\n", nil, 2, []string{"config.toml:3: ", "is:done"}},
		{"both kinds", "forward-to = \":2\"\n" + to, nil, 2, []string{"--forward-to", "[[forward]]", "config.toml:1"}},
		{"doctor", to + "header-env = { Authorization = \"NOWHERE\" }\n", []string{"doctor", "--listen", "127.0.0.1:0"}, 1, []string{"config.toml:3: ", "NOWHERE"}},
		{"doctor of a bad key", to + "path = \"x\"\n", []string{"doctor", "--listen", "127.0.0.1:0"}, 1, []string{"config.toml:3: ", `"path"`}},
		{"named filter", "[filters]\nbad = \"became:failed\"\n", []string{"export", "--journal", journal, "--filter", "@bad"}, 0, []string{"msg_2"}},
		{"named filter, negated", "[filters]\nbad = \"state:failed\"\n", []string{"replay", "--journal", journal, "--dry-run", "--to", ":1", "--filter", "-@bad -type:ping"}, 0, []string{"#3"}},
		{"unknown name", "[filters]\nbad = \"state:failed\"\n", []string{"export", "--journal", journal, "--filter", "@worse"}, 2, []string{"@worse", "bad"}},
		{"unknown name in the file", "[filters]\nbad = \"late\"\n[export]\nfilter = \"@worse\"\n", []string{"export", "--journal", journal}, 2, []string{"@worse", "config.toml:4"}},
		{"nested name", "[filters]\na = \"late\"\nb = \"x @a\"\n", []string{"export", "--journal", journal}, 2, []string{"config.toml:3: ", "@a"}},
		{"filter that is none", "[filters]\na = \"stat:failed\"\n", []string{"export", "--journal", journal}, 2, []string{"config.toml:2: ", "stat:failed"}},
		{"or by a bar", "", []string{"export", "--journal", journal, "--filter", "state:failed | late"}, 2, []string{`"|"`, "state:failed,cancelled"}},
		{"or by a word", "", []string{"export", "--journal", journal, "--filter", "failed OR late"}, 2, []string{`"OR"`, "state:failed,cancelled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.args == nil {
				c.args = []string{"watch", "--listen", "127.0.0.1:0", "--journal", "memory"}
			}
			stdout, stderr, code := finished(t, configured(t, with(program(t, c.args...), "ASPECT_WEBHOOK_SECRET="+secret), c.file))
			if says(t, stdout+stderr, c.says...); code != c.code || strings.Contains(stdout+stderr, "hush") {
				t.Errorf("ended with %d, not %d: %s%s", code, c.code, stdout, stderr)
			}
		})
	}
}
