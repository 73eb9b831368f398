//go:build unix

package e2e

import (
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// checks are the lines of doctor --json by name.
func checks(t *testing.T, stdout string) map[string]map[string]any {
	t.Helper()
	byName := map[string]map[string]any{}
	for _, line := range lines(t, stdout) {
		if line["type"] != "check" || line["time"] == nil {
			t.Errorf("told %v", line)
		}
		byName[fmt.Sprint(line["name"])] = line
	}
	return byName
}

// finds checks what a check came to.
func finds(t *testing.T, found map[string]any, status string, wants ...string) {
	t.Helper()
	if found["status"] != status {
		t.Errorf("not %s: %v", status, found)
	}
	says(t, fmt.Sprint(found["found"], found["do"]), wants...)
}

// diagnosing is doctor with a config file of this content and mode; "" is none.
func diagnosing(t *testing.T, config string, mode fs.FileMode, args ...string) *exec.Cmd {
	t.Helper()
	home := t.TempDir()
	if config != "" {
		folder := filepath.Join(home, "aspectop")
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "config.toml"), []byte(config), mode); err != nil {
			t.Fatal(err)
		}
	}
	return with(program(t, append([]string{"doctor"}, args...)...), "XDG_CONFIG_HOME="+home)
}

// stateOf lists the files below a folder with their sizes.
func stateOf(t *testing.T, folder string) (files string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(path)
		if err == nil {
			files += fmt.Sprintln(path, info.Mode(), info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestADoctorFindsAllWell(t *testing.T) {
	api := aspectAPI(t)
	path, _, watch := journalOf(t, some()...)
	programs := t.TempDir()
	script := "#!/bin/sh\n[ -z \"$ASPECT_API_KEY$ASPECT_WEBHOOK_SECRET\" ] || exit 1\necho 'cloudflared version 2026.11.0 (built today)'\n"
	if err := os.WriteFile(filepath.Join(programs, "cloudflared"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	cmd := with(diagnosing(t, "listen = \""+address+"\"\njournal = \""+path+"\"\n", 0o600, "--json"), api.environment()...)
	cmd = with(cmd, "ASPECT_WEBHOOK_SECRET=prod="+secret+" "+handlerSecret, "PATH="+programs+":/bin:/usr/bin")
	before := stateOf(t, filepath.Dir(path))
	stdout, stderr, code := finished(t, cmd)
	if code != 0 || stderr != "" {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	found := checks(t, stdout)
	if len(found) != 10 {
		t.Errorf("%d checks: %s", len(found), stdout)
	}
	finds(t, found["config"], "ok", "config.toml")
	finds(t, found["secrets"], "ok", "2 valid: prod, default")
	finds(t, found["port"], "ok", address+" is free")
	finds(t, found["journal"], "ok", path, "format ", "4 deliveries", fmt.Sprintf("written by process %d", watch.cmd.Process.Pid))
	finds(t, found["api key"], "ok", "accepted by "+api.URL, "0 active tasks")
	finds(t, found["clock"], "ok", "same as Aspect's")
	finds(t, found["endpoints"], "ok", "none left by earlier runs")
	finds(t, found["cloudflared"], "ok", programs, "cloudflared version 2026.11.0")
	finds(t, found["terminal"], "ok", "stdout is not a terminal")
	for _, hush := range []string{secret, strings.TrimPrefix(secret, "whsec_"), handlerSecret, apiKey} {
		if strings.Contains(stdout+stderr, hush) {
			t.Errorf("told a secret: %s%s", stdout, stderr)
		}
	}
	if after := stateOf(t, filepath.Dir(path)); after != before {
		t.Errorf("the files were\n%safterwards\n%s", before, after)
	}
	if calls := api.asked(); !slices.Equal(calls, []string{"GET /tasks/active"}) {
		t.Errorf("called %q", calls)
	}
}

func TestADoctorFindsAllWrong(t *testing.T) {
	api := aspectAPI(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(broken, []byte(strings.Repeat("no journal\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := diagnosing(t, "listen 127.0.0.1:1\n", 0o600,
		"--listen", taken.Addr().String(), "--journal", broken, "--cloudflared", "/nowhere/cloudflared", "--json")
	cmd = with(cmd, "ASPECT_WEBHOOK_SECRET=whsec_!!!hush!!!", "ASPECT_URL="+api.URL, "ASPECT_API_KEY=sk_wrong_0123456789")
	stdout, stderr, code := finished(t, cmd)
	if code != 1 {
		t.Errorf("ended with %d", code)
	}
	says(t, stderr, `{"error":{"code":"failed","message":"6 checks failed"}}`)
	found := checks(t, stdout)
	finds(t, found["config"], "fail", "config.toml:1:")
	finds(t, found["secrets"], "fail", "ASPECT_WEBHOOK_SECRET", "base64")
	finds(t, found["port"], "fail", "another program has taken")
	finds(t, found["journal"], "fail", broken, "nothing was changed")
	finds(t, found["api key"], "fail", "401", "ASPECT_API_KEY")
	finds(t, found["cloudflared"], "fail", "/nowhere/cloudflared")
	if strings.Contains(stdout+stderr, "hush") || strings.Contains(stdout+stderr, "sk_wrong") {
		t.Errorf("told a secret: %s%s", stdout, stderr)
	}
}

func TestADoctorWithNothingSetUpSaysWhereToBegin(t *testing.T) {
	cmd := diagnosing(t, "", 0)
	stdout, stderr, code := finished(t, with(cmd, "PATH=/nowhere"))
	if code != 1 || !strings.Contains(stderr, "one check failed") {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	says(t, stdout, "ok    config: no config file", "fail  secrets: none is set, so watch would not start; copy", "ok    journal: none yet", "skip  api key: not set",
		"skip  clock: not compared", "skip  public url: none", "warn  cloudflared: cloudflared is not installed", "--tunnel=svix")
	for _, v := range cmd.Env {
		if state, ok := strings.CutPrefix(v, "XDG_STATE_HOME="); ok {
			if entries, err := os.ReadDir(state); err != nil || len(entries) > 0 {
				t.Errorf("it left %v behind (%v)", entries, err)
			}
		}
	}
}

func TestADoctorKnowsTheWatchThatRuns(t *testing.T) {
	if taken, err := net.Listen("tcp", "127.0.0.1:8787"); err == nil { // or another program has it
		defer taken.Close()
	}
	watch := watching(t, "--json")
	p := inPipe(t, watch)
	p.next("ready")
	for _, args := range [][]string{nil, {"--public-url", "https://dev.example.com"}} { // with it watch takes no other port
		cmd := program(t, append([]string{"doctor", "--json"}, args...)...)
		cmd.Env = watch.Env
		stdout, _, _ := finished(t, cmd)
		finds(t, checks(t, stdout)["port"], "ok", "127.0.0.1:8787 is in use, most likely by the watch")
	}
}

// What watch takes, doctor takes, and it tests the way as watch does.
func TestADoctorTestsThePublicURL(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	alive := ownTunnel(t, address)
	prefixed := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(&url.URL{Scheme: "http", Host: address, Path: "/pre"})
	}})
	t.Cleanup(prefixed.Close)
	dead := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(dead.Close)
	for name, c := range map[string]struct {
		args   []string
		env    string
		status string
		says   []string
	}{
		"well":        {[]string{"--public-url", alive}, "", "warn", []string{"came back through " + alive + "/webhooks/aspect", "Svix cannot reach", "a loopback address"}},
		"prefix":      {[]string{"--public-url", prefixed.URL, "--tunnel-timeout", "2s"}, "", "fail", []string{"arrived here as /pre/webhooks/aspect"}},
		"dead":        {[]string{"--tunnel-timeout=5s"}, "ASPECTOP_PUBLIC_URL=" + dead.URL, "fail", []string{"answered 404 itself", "lead to " + address}},
		"not checked": {[]string{"--public-url", alive, "--probe=off"}, "", "skip", []string{"not checked"}},
		"none":        {[]string{"--forward-to", "http://127.0.0.1:1/a", "--forward-to", "http://127.0.0.1:1/b"}, "", "skip", []string{"neither"}},
		"no key":      {[]string{"--public-url", alive, "--register"}, "", "warn", []string{"came back through"}},
		"no token":    {[]string{"--public-url", alive, "--tunnel"}, "", "skip", []string{"needs TUNNEL_TOKEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := with(program(t, append([]string{"doctor", "--json", "--listen", address, "--journal", "memory"}, c.args...)...), "ASPECT_WEBHOOK_SECRET="+secret)
			if c.env != "" {
				cmd = with(cmd, c.env)
			}
			stdout, stderr, code := finished(t, cmd)
			found := checks(t, stdout)
			finds(t, found["public url"], c.status, c.says...)
			wrong := map[string]string{"no key": "--register needs an API key", "no token": "needs TUNNEL_TOKEN"}[name]
			if wrong != "" {
				finds(t, found["config"], "fail", wrong)
			}
			if failed := c.status == "fail" || wrong != ""; failed != (code == 1) {
				t.Errorf("ended with %d: %s", code, stderr)
			}
		})
	}
}

func TestADoctorLeavesTheRunningWatchItsPort(t *testing.T) {
	address := freeAddress(t)
	public := ownTunnel(t, address)
	watch := watching(t, "--json", "--listen", address, "--public-url", public)
	p := inPipe(t, watch)
	p.next("ready")
	cmd := program(t, "doctor", "--json", "--listen", address, "--public-url", public)
	cmd.Env = watch.Env
	stdout, _, _ := finished(t, cmd)
	finds(t, checks(t, stdout)["public url"], "skip", "the running watch has the port")
}

func TestADoctorWarns(t *testing.T) {
	cmd := diagnosing(t, "theme = \"dark\"\n", 0o644, "--json", "--listen", "0.0.0.0:0")
	cmd = with(cmd, "ASPECT_WEBHOOK_SECRET=whsec_abcd")
	for _, v := range cmd.Env {
		if state, ok := strings.CutPrefix(v, "XDG_STATE_HOME="); ok {
			folder := filepath.Join(state, "aspectop", "endpoints")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "0123456789abcdef.json"), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	stdout, _, code := finished(t, cmd)
	if code != 0 {
		t.Errorf("ended with %d", code)
	}
	found := checks(t, stdout)
	finds(t, found["secrets"], "warn", "short, 3 bytes", "copy it again")
	finds(t, found["port"], "warn", "open to the network")
	finds(t, found["endpoints"], "warn", "1 registered by watch", "endpoints", "the next watch")
}

func TestADoctorSeesTwoFlagsWithOneAddress(t *testing.T) {
	address := freeAddress(t)
	for _, c := range []struct{ config, wrong string }{
		{"listen = ADDRESS\nweb = ADDRESS", "--web: " + address + " is taken by another address of this command"},
		{"web = ADDRESS\nmetrics = ADDRESS", "--web: " + address + " is taken by another address of this command"},
		{"web = ADDRESS", ""},
	} {
		cmd := with(diagnosing(t, strings.ReplaceAll(c.config, "ADDRESS", strconv.Quote(address)), 0o600, "--json"), "ASPECT_WEBHOOK_SECRET="+secret)
		stdout, stderr, _ := finished(t, cmd)
		found := checks(t, stdout)["config"]
		if c.wrong == "" {
			finds(t, found, "ok")
			continue
		}
		finds(t, found, "fail", c.wrong)
		watch := program(t, "watch", "--json")
		watch.Env = cmd.Env
		if _, stderr, code := finished(t, watch); code != 2 || !strings.Contains(stderr, c.wrong) {
			t.Errorf("watch itself ended with %d: %s", code, stderr)
		}
		if !strings.Contains(stderr, "failed") {
			t.Errorf("doctor says %s", stderr)
		}
	}
}

func TestADoctorComparesTheClocks(t *testing.T) {
	for _, c := range []struct {
		ahead  time.Duration // of Aspect's clock
		status string
		says   []string
	}{
		{0, "ok", []string{"same as Aspect's"}},
		{2 * time.Minute, "warn", []string{"behind", "NTP"}},
		{-10 * time.Minute, "fail", []string{"10m", "ahead of", "rejected"}},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(c.ahead).UTC().Format(http.TimeFormat))
			fmt.Fprint(w, "[]")
		}))
		defer server.Close()
		stdout, _, code := finished(t, with(diagnosing(t, "", 0, "--json"), "ASPECT_URL="+server.URL, "ASPECT_API_KEY="+apiKey))
		finds(t, checks(t, stdout)["clock"], c.status, c.says...)
		if failed := c.status == "fail"; failed != (code == 1) {
			t.Errorf("ended with %d", code)
		}
	}
}

func TestADoctorSeesTheTerminal(t *testing.T) {
	set := "ASPECT_WEBHOOK_SECRET=" + secret
	screen := inTerminal(t, 100, 60, with(diagnosing(t, "", 0), set))
	screen.shows("ok    terminal: xterm-256color, 100x60, colours: ANSI256, UTF-8", "COLORTERM=truecolor says so")
	screen.ends(0)
	small := inTerminal(t, 30, 90, with(diagnosing(t, "", 0), "LANG=C", set))
	small.shows("warn  terminal", "30x90", "--ascii")
	small.ends(0)
}

func TestDoctorNamesTheProxyThatAnsweredInPlaceOfTheAPI(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	t.Cleanup(proxy.Close)
	address := strings.Replace(proxy.URL, "http://", "http://me:hush@", 1)
	cmd := with(program(t, "doctor", "--listen", "127.0.0.1:0"), "ASPECT_API_KEY=a-key-of-the-tests", "ASPECT_URL=http://api.test", "HTTP_PROXY="+address, "http_proxy="+address)
	stdout, stderr, _ := finished(t, cmd)
	if !strings.Contains(stdout, "came through the proxy "+proxy.URL) || strings.Contains(stdout+stderr, "hush") {
		t.Errorf("%s%s", stdout, stderr)
	}
}
