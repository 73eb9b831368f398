package tunnel

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aspectop/model"
)

// value returns the argument behind a flag.
func (p played) value(flag string) string {
	if i := slices.Index(p.Args, flag); i >= 0 && i+1 < len(p.Args) {
		return p.Args[i+1]
	}
	return ""
}

// The stand-in, like every cloudflared before one of them was added, ends with
// exit code 0 at a flag that it does not know.
func TestNoFlagIsNewerThanTheProgramMayBe(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	run := r.runs()[0]
	want := []string{"tunnel", "--config", run.value("--config"), "--no-autoupdate", "--metrics", "127.0.0.1:0", "--url", r.local.URL}
	if !slices.Equal(run.Args, want) {
		t.Errorf("called with %q", run.Args)
	}
}

// Another config file's rules would take the place of ours, and answer 404.
func TestTheUsersOwnConfigFileIsNotRead(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	run := r.runs()[0]
	if config := run.value("--config"); !strings.HasPrefix(config, os.TempDir()) {
		t.Errorf("the config file is %q", config)
	}
	if run.Modes[0] != 0o600 || run.Modes[1] != 0o700 {
		t.Errorf("the modes of the config file and its folder are %o", run.Modes)
	}
}

func TestAConfigFileThatWasClearedAwayDoesNotPreventTheNextStart(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	if err := os.RemoveAll(filepath.Dir(r.runs()[0].value("--config"))); err != nil {
		t.Fatal(err)
	}
	n := len(r.list())
	dead := quick()
	dead.Ends, dead.Code = true, 1
	r.now(dead)
	_, n = r.wait(t, n, "that it died", is(model.TunnelReconnecting))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}

func TestOnlyTheWebhooksPathIsExposed(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	client := http.Client{Transport: r.local.prober.transport}
	for path, want := range map[string]int{
		webhookPath:          http.StatusBadRequest, // the receiver's answer to an unsigned request
		"/":                  http.StatusNotFound,
		"/healthz":           http.StatusNotFound,
		webhookPath + "/":    http.StatusNotFound,
		"/x" + webhookPath:   http.StatusNotFound,
		"/webhooksXaspect":   http.StatusNotFound,
		webhookPath + "more": http.StatusNotFound,
	} {
		posts := r.local.posts()
		res, err := client.Post("https://"+host+path, "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != want || (r.local.posts() > posts) != (path == webhookPath) {
			t.Errorf("%s: answered %d", path, res.StatusCode)
		}
	}
}

func TestTheChildsEnvironmentHoldsNothingThatIsNotNeeded(t *testing.T) {
	for name, value := range map[string]string{
		"ASPECT_API_KEY": "sk_1", "ASPECT_WEBHOOK_SECRET": "whsec_1", "ASPECTOP_PATH": "/x", "MY_TUNNEL_SECRET": "hunter2",
		"TUNNEL_NAME": "mine", "TUNNEL_HELLO_WORLD": "true", "TUNNEL_TOKEN": "not given on purpose", "AWS_SECRET_ACCESS_KEY": "x",
		"TUNNEL_EDGE": "127.0.0.1:7844", "TUNNEL_CACERT": "/tmp/ca.pem", "TUNNEL_TRANSPORT_PROTOCOL": "http2",
	} {
		t.Setenv(name, value)
	}
	r := open(t, quick(), setup{})
	ready(t, r)
	env := map[string]string{}
	for _, entry := range r.runs()[0].Env {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	for name, want := range map[string]string{
		"TUNNEL_EDGE": "127.0.0.1:7844", "TUNNEL_CACERT": "/tmp/ca.pem", "TUNNEL_TRANSPORT_PROTOCOL": "http2",
		"TUNNEL_LOG_OUTPUT": "json", "TUNNEL_RETRIES": "1",
		"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"),
	} {
		if env[name] != want {
			t.Errorf("%s=%s, not %s", name, env[name], want)
		}
	}
	for name := range env {
		ours := []string{"TUNNEL_LOG_OUTPUT", "TUNNEL_RETRIES"}
		launchers := []string{standIn, "GORACE", "GOCOVERDIR", "PWD", "OLDPWD", "SHLVL", "_"}
		if !slices.Contains(inherited[:], name) && !slices.Contains(ours, name) && !slices.Contains(launchers, name) {
			t.Errorf("%s is handed on", name)
		}
	}
}

// Each line is one trap less; see the comment at configuration.
func TestTheConfigFileSaysWhatFlagsMustNot(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	for _, line := range []string{
		"protocol: auto", "max-edge-addr-retries: 1", "no-prechecks: true", "grace-period: 3s",
		`  - path: "^/webhooks/aspect$"`, `    service: "` + r.local.URL + `"`, "  - service: http_status:404",
	} {
		if !slices.Contains(strings.Split(r.runs()[0].Config, "\n"), line) {
			t.Errorf("there is no line %q in\n%s", line, r.runs()[0].Config)
		}
	}
}

func TestThePathPatternMatchesThePathAsCloudflaredDecodesIt(t *testing.T) {
	for path, want := range map[string]string{
		"/a.b+c":   `^/a\.b\+c$`,
		"/a%20b":   `^/a b$`,
		"/%22x%5C": `^/"x\\$`,
	} {
		if got := pathPattern(path); got != want {
			t.Errorf("%s: %s, not %s", path, got, want)
		}
	}
	if got := quoted(`^/"x\\$`); got != `"^/\"x\\\\$"` {
		t.Errorf("quoted as %s", got)
	}
}
