//go:build unix

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// configured gives a command a config file.
func configured(t *testing.T, cmd *exec.Cmd, config string) *exec.Cmd {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "aspectop")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return with(cmd, "XDG_CONFIG_HOME="+filepath.Dir(folder))
}

// What is nearer overrides its opposite, and what only matters beside something that is
// not there waits for it, unless it is on the command line.
func TestSettingsFromThreePlaces(t *testing.T) {
	path, _, watch := journalOf(t, some()...)
	watch.old()
	send := []string{"send", "task.failed", "--to", "http://127.0.0.1:1/"}
	create := []string{"endpoints", "create", "--url", "https://x.example.com", "--description", "x"}
	exports := []string{"export", "--journal", path}
	replays := []string{"replay", "--dry-run", "--to", "http://127.0.0.1:1/", "--journal", path}
	key := "ASPECT_API_KEY=" + apiKey
	api := "ASPECT_URL=http://127.0.0.1:1" // where nobody answers
	for _, c := range []struct {
		config string
		env    []string
		args   []string
		code   int // -1: it runs, prints a JSON line (or a sentence) and is ended
		says   string
	}{
		{`plain = true`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{`json = true`, nil, []string{"watch", "--plain"}, -1, "receiving on"},
		{``, []string{"ASPECTOP_PLAIN=true"}, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{`plain = true`, []string{"ASPECTOP_JSON=true"}, []string{"watch"}, -1, `"type":"ready"`},
		{"plain = true\n[watch]\njson = true", nil, []string{"watch"}, -1, `"type":"ready"`},
		{"plain = true\n[demo]\njson = true", nil, []string{"demo", "--duration", "10s"}, -1, `"type":"ready"`},
		{"plain = true\njson = true", nil, []string{"watch", "--plain"}, -1, "receiving on"},
		{"plain = true\njson = true", nil, []string{"watch"}, 2, "--plain and --json cannot be used together"},
		{``, nil, []string{"watch", "--plain", "--json"}, 2, "--plain and --json cannot be used together"},
		{"ssh-keys = \"/none\"\nssh-private = true\nssh-sessions = 3", nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, []string{"ASPECTOP_SSH_KEYS=/none"}, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{`ssh-private = true`, nil, []string{"watch", "--json", "--ssh-keys", "/none"}, 2, "need --ssh"},
		{`ssh-keys = "/none"`, nil, []string{"watch", "--json", "--ssh", "127.0.0.1:0"}, 3, "/none"}, // now it matters
		{"web-cert = \"/none\"\nweb-key = \"/none\"\nweb-proxy = \"https://x.example.com\"", nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, nil, []string{"watch", "--json", "--web-cert", "/none"}, 2, "need --web"},
		{`record = "/tmp/none/x.cast"`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, nil, []string{"watch", "--json", "--record", "/tmp/none/x.cast"}, 2, "--record needs a screen"},
		{`secret-out = "/none/s"`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, nil, []string{"watch", "--json", "--secret-out", "/none/s"}, 2, "registers none"},
		{`register = true`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{`register = true`, []string{key, api}, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, []string{key, api}, []string{"watch", "--json", "--register"}, 2, "--register needs a URL"},
		{`register = true`, nil, []string{"watch", "--json", "--no-register"}, -1, `"type":"ready"`},
		{`no-register = true`, nil, []string{"watch", "--json", "--register"}, 2, "--register needs an API key"},
		{`poll = "5s"`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, nil, []string{"watch", "--json", "--poll", "5s"}, 2, "--poll needs an API key"},
		{`forward-secret-env = "NOT_SET"`, nil, []string{"watch", "--json"}, -1, `"type":"ready"`},
		{``, nil, []string{"watch", "--json", "--forward-secret-env", "NOT_SET"}, 2, "NOT_SET is not set"},
		{`tunnel = "svix"`, nil, []string{"watch", "--json", "--public-url", "http://127.0.0.1:1/x"}, -1, `"type":"receiving"`},
		{``, nil, []string{"watch", "--json", "--tunnel=svix", "--public-url", "https://x.example.com"}, 2, "omit --public-url"},
		{``, nil, []string{"watch", "--json", "--tunnel", "--public-url", "https://x.example.com"}, 2, "for your own tunnel, omit --tunnel"},
		{"size = \"90x20\"\nview = \"board\"", nil, []string{"view", "--json", "--journal", path}, -1, `"type":"ready"`},
		{``, nil, []string{"view", "--json", "--journal", path, "--size", "90x20"}, 2, "--size is for --picture"},
		{"json = true\nssh = \"127.0.0.1:0\"", nil, []string{"view", "--journal", path, "--picture", filepath.Join(t.TempDir(), "x.svg")}, 0, ""},
		{``, nil, []string{"view", "--journal", path, "--json", "--picture", filepath.Join(t.TempDir(), "x.svg")}, 2, "--json has no use"},
		{`json = true`, nil, append(exports, "--format", "har"), 0, `"startedDateTime"`},
		{`format = "har"`, nil, append(exports, "--json"), 0, `{"type":"delivery"`},
		{``, nil, append(exports, "--json", "--format", "har"), 2, "cannot be used together"},
		{"lang = \"node\"\nwith-credentials = true", nil, append(exports, "--format", "html"), 0, "<html"},
		{``, nil, append(exports, "--lang", "node"), 2, "--lang is for"},
		{``, nil, append(exports, "--format", "html", "--to", "http://x"), 2, "no effect on a report"},
		{`secret-env = "OTHER"`, nil, append(replays, "--verbatim"), 0, "would be posted"},
		{`verbatim = true`, nil, append(replays, "--new-id"), 0, "re-signed"},
		{``, nil, append(replays, "--new-id", "--verbatim"), 2, "--verbatim keeps"},
		{"[send]\nscenario = \"burst\"", nil, send, 1, ""},
		{"[send]\nid = \"msg_x\"\ntimestamp = \"10m\"\nfeature = [\"visual=failed\"]", nil, []string{"send", "--scenario", "rotten", "--to", "http://127.0.0.1:1/"}, 1, ""},
		{``, nil, append(send, "--scenario", "rotten"), 2, "--scenario decides"},
		{`show-secret = true`, []string{key, api}, append(create, "--secret-out", filepath.Join(t.TempDir(), "s"), "--timeout", "1s"), -2, ""},
		{``, []string{key, api}, append(create, "--secret-out", "s", "--show-secret"), 2, "cannot be used together"},
		{`endpoint = "ep_1"`, []string{key, api}, []string{"attempts", "--message", "msg_1", "--timeout", "1s"}, -2, ""},
	} {
		t.Run(fmt.Sprint(strings.ReplaceAll(c.config, "\n", ","), c.args), func(t *testing.T) {
			t.Parallel()
			if c.args[0] == "watch" {
				c.args = append(c.args, "--listen", "127.0.0.1:0", "--journal", "memory")
			}
			cmd := configured(t, with(program(t, c.args...), append(c.env, "ASPECT_WEBHOOK_SECRET="+secret)...), c.config)
			p := inPipe(t, cmd)
			if c.code == -1 {
				for line := range p.lines {
					if strings.Contains(line, c.says) {
						p.signal(syscall.SIGINT)
						if code := p.ends(); code != 0 {
							t.Errorf("ended with %d: %s", code, p.errors())
						}
						return
					}
				}
				t.Fatalf("ended with %d without %q: %s", p.ends(), c.says, p.errors())
			}
			if c.code == -2 { // nobody answers, but these are no usage errors
				if code := p.ends(); code == 2 {
					t.Errorf("ended with 2: %s", p.errors())
				}
				return
			}
			var out strings.Builder
			for line := range p.lines {
				out.WriteString(line + "\n")
			}
			if code := p.ends(); code != c.code {
				t.Errorf("ended with %d, not %d: %s", code, c.code, p.errors())
			}
			says(t, out.String()+p.errors(), c.says)
		})
	}
}

// Whatever would stop watch, doctor finds, with the source of the setting.
func TestADoctorFindsWhatWouldStopWatch(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel tests
	cast := filepath.Join(t.TempDir(), "x.cast")
	if err := os.WriteFile(cast, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]string{
		"plain = true\njson = true":                                                 "config|--plain and --json cannot be used together; --plain is set in ",
		"[watch]\nfilter = \"stat:failed\"":                                         "config|stat:failed",
		"[watch]\ntheme = \"pink\"":                                                 "config|unknown --theme",
		"[watch]\nprobe = \"often\"":                                                "config|unknown --probe",
		"[watch]\npath = \"/healthz\"":                                              "config|health checks",
		"[watch]\npath = \"hooks\"":                                                 "config|--path",
		"[watch]\nforward-to = [\"nonsense\"]":                                      "config|--forward-to",
		"[watch]\nforward-to = [\"http://x\", \"http://x\"]":                        "config|given twice",
		"[watch]\nforward-to = [\"http://x\"]\nforward-secret-env = \"NOT_SET\"":    "config|NOT_SET is not set",
		"[watch]\nexec = \"/nowhere/x --now\"":                                      "config|--exec",
		"[watch]\nssh = \"127.0.0.1:0\"\nssh-keys = \"/nowhere\"":                   "config|/nowhere contains no key",
		"[watch]\nweb = \"0.0.0.0:0\"":                                              "config|open to the network",
		"[watch]\nmetrics = \"" + taken.Addr().String() + "\"":                      "config|--metrics: cannot listen",
		"[watch]\nrecord = \"" + cast + "\"":                                        "config|already exists",
		"[watch]\ntunnel = \"bogus\"":                                               "config|unknown --tunnel",
		"[watch]\ntunnel = \"cloudflared\"\npublic-url = \"https://x.example.com\"": "config|TUNNEL_TOKEN",
		"[watch]\ntunnel = \"cloudflared\"\ncloudflared = \"/nowhere/cloudflared\"": "cloudflared|/nowhere/cloudflared",
		"[watch]\nlisten = \"" + taken.Addr().String() + "\"":                       "port|another program",
		"[watch]\njournal = \"/dev/null/j.db\"":                                     "journal|/dev/null",
		"[watch]\nsecret-file = \"/nowhere/s\"":                                     "secrets|/nowhere/s",
	} {
		t.Run(strings.ReplaceAll(config, "\n", ","), func(t *testing.T) {
			t.Parallel()
			secrets := []string{"ASPECT_WEBHOOK_SECRET=" + secret}
			cmd := configured(t, with(program(t, "doctor", "--json"), secrets...), config)
			stdout, stderr, code := finished(t, cmd)
			check, words, _ := strings.Cut(want, "|")
			if code != 1 {
				t.Errorf("ended with %d: %s", code, stderr)
			}
			finds(t, checks(t, stdout)[check], "fail", words)
			if check == "config" && !strings.Contains(config, "record") { // which waits for a terminal
				_, stderr, code := finished(t, configured(t, with(program(t, "watch", "--journal", "memory"), secrets...), config))
				if code != 2 && code != 3 {
					t.Errorf("watch ended with %d: %s", code, stderr)
				}
			}
		})
	}
}
