package tunnel

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/model"
)

const (
	host      = "a-b-c.trycloudflare.com"
	quickURL  = "https://" + host + webhookPath
	otherHost = "d-e-f.trycloudflare.com"
)

func quick() script { return script{Connections: 1, Hosts: []string{host}} }

func ready(t *testing.T, r *rig) {
	t.Helper()
	if err := r.Ready(t.Context(), enough); err != nil {
		t.Fatal(err, r.reports)
	}
}

func TestAQuickTunnelIsReadyWhenTheProbeCameThrough(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	got := r.State()
	if got.State != model.TunnelConnected || got.Detail != "1 of 1" || got.Kind != "cloudflared" || got.PublicURL != quickURL {
		t.Errorf("reported %+v", got)
	}
	if got.Probe == nil || !got.Probe.OK || got.Probe.RoundTrip <= 0 || got.Probe.At.IsZero() {
		t.Errorf("the probe is %+v", got.Probe)
	}
	if first := r.list()[0]; first.State != model.TunnelStarting {
		t.Errorf("the first report is %+v", first)
	}
}

// cloudflared prints errors when it ends well.
func TestACleanEndIsNoFailure(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	before := len(r.list())
	r.Stop()
	after := r.list()[before:]
	if len(after) == 0 || slices.ContainsFunc(after, func(m model.Tunnel) bool { return m.State != model.TunnelOff && m.State != model.TunnelConnected }) {
		t.Errorf("Stop reports %v", after)
	}
	config := r.runs()[0].value("--config")
	if _, err := os.Stat(filepath.Dir(config)); !os.IsNotExist(err) {
		t.Errorf("the folder of %s is left: %v", config, err)
	}
}

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

func TestAProgramThatDoesNotKnowAFlagIsRefusedAndNotCalledAgain(t *testing.T) {
	help := make([]string, 300)
	for i := range help {
		help[i] = "   --some-flag value"
	}
	r := open(t, script{
		Stdout: append([]string{"Incorrect Usage: flag provided but not defined: -metrics", "", "NAME:"}, help...),
		Ends:   true, Code: 0,
	}, setup{})
	err := r.Ready(t.Context(), enough)
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "not defined: -metrics") {
		t.Error(err)
	}
	if got := r.State(); got.State != model.TunnelFailed || !got.NextTry.IsZero() || len(r.runs()) != 1 {
		t.Errorf("%+v after %d runs", got, len(r.runs()))
	}
}

func TestExitCode0BeforeReadyIsAFailureAndIsTriedAgain(t *testing.T) {
	r := open(t, script{Ends: true, Code: 0}, setup{})
	m, n := r.wait(t, 0, "that it ended early", says(model.TunnelReconnecting, "ended before it was connected", "exit code 0"))
	if m.NextTry.IsZero() {
		t.Errorf("the next try is not told: %+v", m)
	}
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}

func TestAUsageErrorIsRefused(t *testing.T) {
	r := open(t, script{Ends: true, Code: 255, LastWords: []string{"Provided Tunnel token is not valid.\x1b[0m"}}, setup{})
	if err := r.Ready(t.Context(), enough); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "token is not valid.") {
		t.Error(err)
	}
}

func TestAFileThatIsNoProgramIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no-program")
	if err := os.WriteFile(file, []byte("\x00\x01"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := open(t, quick(), setup{options: func(o *Options) { o.Program = file }})
	if err := r.Ready(t.Context(), enough); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), file+" cannot be run: exec format error") {
		t.Error(err)
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

func TestTheQuickTunnelServicesOwnAddressIsNotTakenForOurs(t *testing.T) {
	r := open(t, script{Ends: true, Code: 1, LastWords: []string{
		`failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup api.trycloudflare.com: no such host`,
	}}, setup{})
	r.wait(t, 0, "why", says(model.TunnelReconnecting, "quick tunnels cannot be reached", "no such host"))
	if i := slices.IndexFunc(r.list(), func(m model.Tunnel) bool { return m.PublicURL != "" }); i >= 0 {
		t.Errorf("reported %+v", r.list()[i])
	}
}

func TestWhatAFailedStartPrintsIsExplained(t *testing.T) {
	for name, c := range map[string]struct {
		prints string
		says   []string
	}{
		"502": {`{"level":"error","error":"invalid character '<' looking for beginning of value","status_code":"502 Bad Gateway","message":"Error unmarshaling QuickTunnel response: <html>"}`,
			[]string{"out of order", "502 Bad Gateway"}},
		"no id":  {"failed to parse quick Tunnel ID: invalid UUID length: 0", []string{"out of order", "invalid UUID"}},
		"no DNS": {"Could not lookup srv records on _v2-origintunneld._tcp.argotunnel.com: server misbehaving", []string{"cannot be looked up"}},
		"other":  {"yaml: line 3: did not find expected key", []string{"exit code 1", "yaml: line 3"}},
		"plain":  {`2024-05-01T10:00:00Z ERR Cannot start error="no luck"`, []string{"exit code 1", "Cannot start error"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, script{Ends: true, Code: 1, LastWords: []string{c.prints}}, setup{})
			r.wait(t, 0, "why", says(model.TunnelReconnecting, c.says...))
		})
	}
}

func TestAfterALimitTheNextTryIsMinutesAwayAndTold(t *testing.T) {
	for name, prints := range map[string]string{
		"json":  `{"level":"error","error":"invalid character 'e' looking for beginning of value","status_code":"429 Too Many Requests","message":"Error unmarshaling QuickTunnel response: error code: 1015"}`,
		"plain": `2024-09-01T10:00:00Z ERR Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character 'e'" status_code="429 Too Many Requests"`,
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, script{Ends: true, Code: 1, LastWords: []string{
				prints, "failed to unmarshal quick Tunnel: invalid character 'e' looking for beginning of value",
			}}, setup{pace: func(c *cloudflared) { c.pause = pauseAfter }})
			m, _ := r.wait(t, 0, "that there is a limit", says(model.TunnelReconnecting, "(429)", "--tunnel=svix"))
			if wait := time.Until(m.NextTry); wait < time.Minute {
				t.Errorf("the next try is in %s", wait)
			}
			start := time.Now()
			if r.Stop(); time.Since(start) > 5*time.Second {
				t.Errorf("Stop took %s", time.Since(start))
			}
			if n := len(r.runs()); n != 1 {
				t.Errorf("called %d times", n)
			}
		})
	}
}

func TestAFloodOfLogLinesHoldsNothingUp(t *testing.T) {
	s := quick()
	s.Flood = 4 << 20 // many times what a pipe holds, in one line
	s.Stderr = slices.Repeat([]string{strings.Repeat("x", 1000)}, 1000)
	r := open(t, s, setup{})
	ready(t, r)
}

func TestLogLinesOfOldVersionsAreUnderstood(t *testing.T) {
	s := quick()
	s.Plain = true
	ready(t, open(t, s, setup{}))
}

func TestALostConnectionIsToldAndProbedWhenItIsBack(t *testing.T) {
	r := open(t, quick(), setup{})
	ready(t, r)
	s := quick()
	s.Connections = 0
	n := len(r.list())
	r.now(s)
	m, n := r.wait(t, n, "that it is lost", is(model.TunnelReconnecting))
	if m.PublicURL != quickURL || m.Probe != nil {
		t.Errorf("reported %+v", m)
	}
	posts := r.local.posts()
	r.now(quick())
	r.wait(t, n, "that it is back", func(m model.Tunnel) bool { return m.State == model.TunnelConnected && m.Probe != nil && m.Probe.OK })
	if r.local.posts() == posts || len(r.runs()) != 1 {
		t.Errorf("%d probes, %d runs", r.local.posts()-posts, len(r.runs()))
	}
}

func TestAProgramThatDiedIsStartedAgainAndTheNewAddressTold(t *testing.T) {
	s := quick()
	s.Hosts = []string{host, otherHost}
	r := open(t, s, setup{})
	ready(t, r)
	n := len(r.list())
	dead := s
	dead.Ends, dead.Code, dead.LastWords = true, 1, []string{"panic: out of luck"}
	r.now(dead)
	_, n = r.wait(t, n, "that it died", says(model.TunnelReconnecting, "exit code 1", "out of luck"))
	r.now(s)
	r.wait(t, n, "the new address", func(m model.Tunnel) bool {
		return m.State == model.TunnelConnected && strings.HasPrefix(m.PublicURL, "https://") && m.PublicURL != quickURL && m.Probe != nil && m.Probe.OK
	})
}

func TestAQuickTunnelThatIsNotAcceptedAnyMoreIsReplaced(t *testing.T) {
	s := quick()
	s.Hosts = []string{host, otherHost}
	r := open(t, s, setup{})
	ready(t, r)
	n := len(r.list())
	forgotten := s
	forgotten.Connections = 0
	r.now(forgotten)
	_, n = r.wait(t, n, "that it is lost", says(model.TunnelReconnecting, "is lost"))
	forgotten.Refused = refusedOften
	r.now(forgotten)
	_, n = r.wait(t, n, "that it is not accepted", says(model.TunnelReconnecting, "does not accept this quick tunnel"))
	r.now(s)
	r.wait(t, n, "the new address", func(m model.Tunnel) bool { return m.State == model.TunnelConnected && m.PublicURL != quickURL })
}

func TestAHungProgramIsNotCalledConnectedAndIsReplaced(t *testing.T) {
	r := open(t, quick(), setup{pace: func(c *cloudflared) {
		c.answer, c.silence, c.patience = 100*time.Millisecond, 2*time.Second, 50*time.Millisecond
	}})
	ready(t, r)
	n := len(r.list())
	hung := quick()
	hung.Mute, hung.Stubborn = true, true
	r.now(hung)
	_, n = r.wait(t, n, "that it does not answer", says(model.TunnelReconnecting, "does not answer"))
	_, n = r.wait(t, n, "that it hung", says(model.TunnelReconnecting, "hung"))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}

func TestAProgramThatNeverBeginsToWorkIsReplaced(t *testing.T) {
	s := script{Unmetered: true}
	r := open(t, s, setup{pace: func(c *cloudflared) { c.silence = 300 * time.Millisecond }})
	_, n := r.wait(t, 0, "that it does nothing", says(model.TunnelReconnecting, "did not begin to work"))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
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
		"TUNNEL_LOG_OUTPUT": "json", "TUNNEL_RETRIES": "1", "TUNNEL_NO_PRECHECKS": "true", "NO_AUTOUPDATE": "true",
		"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"),
	} {
		if env[name] != want {
			t.Errorf("%s=%s, not %s", name, env[name], want)
		}
	}
	for name := range env {
		ours := []string{"TUNNEL_LOG_OUTPUT", "TUNNEL_RETRIES", "TUNNEL_NO_PRECHECKS", "NO_AUTOUPDATE"}
		launchers := []string{standIn, "GORACE", "PWD", "OLDPWD", "SHLVL", "_"}
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
		`  - path: "^/webhooks/aspect$"`, `    service: "` + r.local.URL + `"`, "      keepAliveTimeout: 5s", "  - service: http_status:404",
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

// token is one of a named tunnel.
func token(secret string) string {
	text, _ := json.Marshal(map[string]string{"a": "account", "s": base64.StdEncoding.EncodeToString([]byte(secret)), "t": "7b0c"})
	return base64.StdEncoding.EncodeToString(text)
}

const namedURL = "https://hooks.example.com" + webhookPath

func named(o *Options) { o.Token, o.PublicURL = token("hush"), "https://hooks.example.com" }

// served is the configuration that the dashboard has for a tunnel.
func served(host, service string) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"version":3,"config":{"ingress":[{"hostname":%q,"path":null,"service":%q},`+
		`{"hostname":"","path":null,"service":"http_status:404"}],"warp-routing":{}}}`, host, service))
}

func TestANamedTunnelCountsItsConnectionsUpToFour(t *testing.T) {
	s := script{Connections: 1, Config: json.RawMessage(`{"version":-1,"config":{"ingress":[]}}`)}
	r := open(t, s, setup{options: named})
	ready(t, r)
	if got := r.State(); got.Detail != "1 of 4" || got.PublicURL != namedURL {
		t.Errorf("reported %+v", got)
	}
	n := len(r.list())
	s.Connections = 4
	r.now(s)
	r.wait(t, n, "that there are four", says(model.TunnelConnected, "4 of 4"))
}

func TestTheTokenIsInTheEnvironmentAndNowhereElse(t *testing.T) {
	secret := token("hush")
	s := script{Connections: 0, Refused: 9, Stderr: []string{
		`{"level":"error","message":"Register tunnel error from server side","error":"Unauthorized: ` + secret + `"}`,
	}}
	r := open(t, s, setup{options: named})
	r.wait(t, 0, "that it is refused", says(model.TunnelFailed, "Unauthorized: …"))
	run := r.runs()[0]
	if !slices.Contains(run.Env, "TUNNEL_TOKEN="+secret) {
		t.Error("it is not in the environment")
	}
	if strings.Contains(strings.Join(run.Args, " ")+run.Config+r.reports.String(), secret) {
		t.Error("it is in the arguments, the config file or a report")
	}
	if want := []string{"tunnel", "--config", run.value("--config"), "--no-autoupdate", "--metrics", "127.0.0.1:0", "run"}; !slices.Equal(run.Args, want) {
		t.Errorf("called with %q", run.Args)
	}
}

// Over QUIC nothing in the log says so, and the program tries for ever.
func TestARevokedTokenIsToldByTheCounterOfRefusals(t *testing.T) {
	r := open(t, script{Refused: 2}, setup{options: named})
	r.wait(t, 0, "that it is connecting", says(model.TunnelStarting, "connecting to Cloudflare"))
	r.now(script{Refused: 3})
	_, n := r.wait(t, 0, "that it is refused", says(model.TunnelFailed, "token was revoked"))
	r.now(script{Connections: 1, Refused: 3})
	r.wait(t, n, "that it is connected after all", is(model.TunnelConnected))
	if len(r.runs()) != 1 {
		t.Errorf("called %d times", len(r.runs()))
	}
}

func TestANamedTunnelThatLeadsElsewhereIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		config func(local string) json.RawMessage
		public string
		says   string // "" if all is well
	}{
		"here": {func(l string) json.RawMessage {
			return served("hooks.example.com", strings.Replace(l, "127.0.0.1", "localhost", 1))
		}, namedURL, ""},
		"another port": {func(string) json.RawMessage { return served("hooks.example.com", "http://localhost:1") }, namedURL, "lead hooks.example.com to http://localhost:1, and not to http://127.0.0.1:"},
		"another scheme": {func(l string) json.RawMessage {
			return served("hooks.example.com", strings.Replace(l, "http:", "https:", 1))
		}, namedURL, "lead hooks.example.com to https://"},
		"no such hostname": {func(l string) json.RawMessage { return served("other.example.com", l) }, namedURL, "no public hostname hooks.example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			s := script{Connections: 1}
			r := open(t, s, setup{options: named})
			s.Config = c.config(r.local.URL)
			r.now(s)
			m, _ := r.wait(t, 0, "so", func(m model.Tunnel) bool {
				return m.State == model.TunnelConnected && strings.Contains(m.Detail, "; ") == (c.says != "")
			})
			if m.PublicURL != c.public || !strings.Contains(m.Detail, c.says) {
				t.Errorf("reported %+v", m)
			}
		})
	}
}

func TestANamedTunnelsAddressIsFoundInItsSettings(t *testing.T) {
	withoutURL := func(o *Options) { o.Token = token("hush") }
	s := script{Connections: 1, Config: json.RawMessage(`{"version":-1,"config":{"ingress":[]}}`)}
	r := open(t, s, setup{options: withoutURL})
	_, n := r.wait(t, 0, "that there is none", says(model.TunnelConnected, "give it with --public-url"))
	s.Config = served("hooks.example.com", r.local.URL)
	r.now(s)
	m, _ := r.wait(t, n, "that it is known", func(m model.Tunnel) bool { return m.PublicURL != "" })
	if m.PublicURL != namedURL || m.Detail != "1 of 4" {
		t.Errorf("reported %+v", m)
	}
}
