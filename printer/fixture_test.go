package printer

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awkward are deliveries that are hard to write down in a program.
func awkward() *memory {
	j := new(memory)
	for _, body := range []string{
		envelope("task.progress", taskA, 0, "visual", "queued"),
		"{\"tick\":\"`\"}", "\xff\xfe\x00", "{\"bidi\":\"\u202e\u2066\"}\r\n", "${1}\\u0041 </script>", "line\nline", "",
	} {
		d := delivery("msg_'\"`\\${x}\u202e", len(j.kept), body)
		d.Header = map[string][]string{"Content-Type": {`application/json; x="y"`}, "User-Agent": {"Svix-Webhooks/1"}}
		if len(j.kept)%2 == 1 {
			d.Header["Webhook-Signature"] = []string{"v1,old"}
		}
		d.ID = strings.Map(func(r rune) rune { // what a header cannot carry never comes
			if r > '~' {
				return -1
			}
			return r
		}, d.ID)
		j.keep(d)
	}
	return j
}

// runGo runs a fixture as its user does.
func runGo(t *testing.T, code string) (output string, passed bool) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"handler_test.go": code, "go.mod": "module fixture\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-vet=all", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOTOOLCHAIN=local")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestAGoFixtureRunsAsItStands(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("there is no go in PATH")
	}
	code, count := exported(t, awkward(), ExportOptions{Format: "fixture"})
	if count.Written != 7 {
		t.Fatalf("%+v", count)
	}
	gofmt := exec.Command("gofmt", "-l")
	gofmt.Stdin = strings.NewReader(code)
	if out, err := gofmt.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt would change it: %s, %v", out, err)
	}
	if out, passed := runGo(t, code); !passed {
		t.Errorf("the fixture fails:\n%s", out)
	}
	careless := strings.Replace(code, "func newHandler(secret string) http.Handler {\n",
		"func newHandler(secret string) http.Handler {\n\tif true {\n\t\treturn http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})\n\t}\n", 1)
	out, passed := runGo(t, careless)
	for _, want := range []string{"an altered body: answered 200", "an old delivery: answered 200", "another's delivery: answered 200"} {
		if passed || !strings.Contains(out, want) {
			t.Errorf("a handler that takes everything is not told %q:\n%s", want, out)
		}
	}
}

func TestANodeFixtureRunsAsItStands(t *testing.T) {
	program := nodeProgram(t)
	code, _ := exported(t, awkward(), ExportOptions{Format: "fixture", Language: "node"})
	run := func(code string) (string, bool) {
		file := filepath.Join(t.TempDir(), "handler.test.mjs")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), program, "--test", file)
		out, err := cmd.CombinedOutput()
		return string(out), err == nil
	}
	if out, passed := run(code); !passed || !strings.Contains(out, "pass 10") {
		t.Errorf("the fixture fails:\n%s", out)
	}
	careless := strings.Replace(code, "fresh && genuine ? 204 : 400", "204", 1)
	if out, passed := run(careless); passed || !strings.Contains(out, "fail 3") {
		t.Errorf("a handler that takes everything passes:\n%s", out)
	}
}

func TestAFixtureHoldsNoSignatureOfOld(t *testing.T) {
	j := kept()
	for _, language := range Languages() {
		text, _ := exported(t, j, ExportOptions{Format: "fixture", Language: language})
		if strings.Contains(text, "v1,abc") || strings.Contains(text, "1795435200") {
			t.Errorf("a fixture in %s holds an old signature", language)
		}
	}
}
