//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheManualTellsCommandsKeysAndExitCodes(t *testing.T) {
	stdout, stderr, code := finished(t, program(t, "man"))
	if code != 0 || stderr != "" {
		t.Fatalf("ended with %d: %s", code, stderr)
	}
	if groff, err := exec.LookPath("groff"); err == nil {
		cmd := exec.Command(groff, "-man", "-Tutf8", "-ww", "-Kutf8")
		cmd.Stdin = strings.NewReader(stdout)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "warning") {
			t.Errorf("groff: %v\n%s", err, out)
		}
	}
	says(t, stdout, ".TH", `aspectop wait TASK`, `\-\-timeout`, ".SH \"KEYS\"", "ctrl+c", "124", "ASPECT_WEBHOOK_SECRET", "config.toml")

	dir := filepath.Join(t.TempDir(), "man1")
	if _, stderr, code := finished(t, program(t, "man", "--dir", dir)); code != 0 {
		t.Fatalf("ended with %d: %s", code, stderr)
	}
	for _, page := range []string{"aspectop.1", "aspectop-wait.1", "aspectop-export.1"} {
		if text, err := os.ReadFile(filepath.Join(dir, page)); err != nil || !strings.HasPrefix(string(text), ".TH") {
			t.Errorf("%s: %v, %.40q", page, err, text)
		}
	}
}

func TestCompletionScriptsForFourShells(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		stdout, stderr, code := finished(t, program(t, "completion", shell))
		if code != 0 || !strings.Contains(stdout, "aspectop") {
			t.Errorf("%s: ended with %d: %s", shell, code, stderr)
		}
		path, err := exec.LookPath(shell)
		if err != nil || shell == "powershell" {
			continue
		}
		check := exec.Command(path, "-n")
		check.Stdin = strings.NewReader(stdout)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s cannot read its script: %v: %s", shell, err, out)
		}
	}
	for args, want := range map[string]string{
		"view --theme ":    "auto\nlight\ndark\nmono\n",
		"export --format ": "ndjson\nhar\n",
		"send --break ":    "signature\ntimestamp\nfuture\nbody\nsecret\nheaders\nmalformed\n",
		"send --feature ":  "proxy=queued\n",
		"demo --scenario ": "mix\n",
		"send task.f":      "task.failed\n",
	} {
		fields := strings.Split(args, " ")
		stdout, _, _ := finished(t, program(t, append([]string{"__complete"}, fields...)...))
		if !strings.HasPrefix(stdout, want) {
			t.Errorf("%q is completed to %q, want %q", args, stdout, want)
		}
	}
	if _, stderr, code := finished(t, program(t, "completion", "tcsh")); code != 2 || !strings.Contains(stderr, "fish") {
		t.Errorf("tcsh: ended with %d: %s", code, stderr)
	}
}

func TestTheVersionTellsWhatTheProgramWasBuiltFrom(t *testing.T) {
	stdout, _, code := finished(t, program(t, "version", "--json"))
	l := lines(t, stdout)
	if code != 0 || len(l) != 1 || l[0]["type"] != "version" || !strings.HasPrefix(l[0]["go"].(string), "go1") {
		t.Errorf("ended with %d and wrote %s", code, stdout)
	}
	for _, key := range []string{"time", "version", "revision", "revision_time", "modified", "platform"} {
		if _, ok := l[0][key]; !ok {
			t.Errorf("%s is missing in %s", key, stdout)
		}
	}
	if stdout, _, code := finished(t, program(t, "version")); code != 0 || !strings.HasPrefix(stdout, "aspectop ") || strings.Count(stdout, "\n") != 1 {
		t.Errorf("ended with %d and wrote %q", code, stdout)
	}
}

func TestTheConfigFileIsReadAndItsFaultsAreTold(t *testing.T) {
	journal, _, _ := journalOf(t, some()...)
	folder := t.TempDir()
	file := filepath.Join(folder, "aspectop", "config.toml")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(text string, mode os.FileMode) {
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	export := func() (stdout, stderr string, code int) {
		return finished(t, with(program(t, "export"), "XDG_CONFIG_HOME="+folder))
	}
	write("journal = \""+journal+"\"\n[export]\nfilter = \"became:failed\"\n", 0o600)
	if stdout, stderr, code := export(); code != 0 || stderr != "" || len(lines(t, stdout)) != 1 {
		t.Errorf("ended with %d: %s%s", code, stdout, stderr)
	}
	write("journal = \""+journal+"\"\n", 0o644)
	stdout, stderr, code := export()
	if code != 0 || stderr != "" || len(lines(t, stdout)) != 4 { // others may read it
		t.Errorf("ended with %d: %s%s", code, stdout, stderr)
	}
	write("journal = \""+journal+"\"\n\n[export]\nformatt = \"har\"\njson = true\n", 0o600)
	stdout, stderr, code = export()
	if says(t, stderr, file+":4: ", "--formatt"); code != 2 || stdout != "" {
		t.Errorf("ended with %d: %s", code, stdout)
	}
	write("[export]\nformat = \"xml\"\n", 0o600)
	_, stderr, _ = export()
	says(t, stderr, `unknown --format "xml"`, "--format is set in "+file+":2")
	write("json = true\nfilter = \"stat:failed\"\n", 0o600)
	_, stderr, _ = export()
	says(t, stderr, `{"error":{"code":"usage"`) // the file asks for JSON
	write("ASPECT_WEBHOOK_SECRET = \""+secret+"\"\n", 0o600)
	_, stderr, code = export()
	if says(t, stderr, file+":1: ", "secrets do not belong"); code != 2 || strings.Contains(stderr, secret) {
		t.Errorf("a secret in the file: ended with %d: %s", code, stderr)
	}
}
