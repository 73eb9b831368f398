package tunnel

import (
	"errors"
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
	m, n := r.wait(t, 0, "that it ended early", says(model.TunnelReconnecting, "exited before it was connected", "exit code 0"))
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

func TestTheQuickTunnelServicesOwnAddressIsNotTakenForOurs(t *testing.T) {
	r := open(t, script{Ends: true, Code: 1, LastWords: []string{
		`failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: lookup api.trycloudflare.com: no such host`,
	}}, setup{})
	r.wait(t, 0, "why", says(model.TunnelReconnecting, "cannot reach Cloudflare's quick tunnels", "no such host"))
	if i := slices.IndexFunc(r.list(), func(m model.Tunnel) bool { return m.PublicURL != "" }); i >= 0 {
		t.Errorf("reported %+v", r.list()[i])
	}
}

func TestWhatAFailedStartPrintsIsExplained(t *testing.T) {
	for name, c := range map[string]struct {
		prints string
		says   []string
	}{
		"502": {`{"level":"error","error":"invalid character '<' polling for beginning of value","status_code":"502 Bad Gateway","message":"Error unmarshaling QuickTunnel response: <html>"}`,
			[]string{"out of order", "502 Bad Gateway"}},
		"no id":  {"failed to parse quick Tunnel ID: invalid UUID length: 0", []string{"out of order", "invalid UUID"}},
		"no DNS": {"Could not lookup srv records on _v2-origintunneld._tcp.argotunnel.com: server misbehaving", []string{"cannot resolve"}},
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
		"json":  `{"level":"error","error":"invalid character 'e' polling for beginning of value","status_code":"429 Too Many Requests","message":"Error unmarshaling QuickTunnel response: error code: 1015"}`,
		"plain": `2024-09-01T10:00:00Z ERR Error unmarshaling QuickTunnel response: error code: 1015 error="invalid character 'e'" status_code="429 Too Many Requests"`,
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, script{Ends: true, Code: 1, LastWords: []string{
				prints, "failed to unmarshal quick Tunnel: invalid character 'e' polling for beginning of value",
			}}, setup{pace: func(c *cloudflared) { c.pause = pauseAfter }})
			m, _ := r.wait(t, 0, "that there is a limit", says(model.TunnelReconnecting, "(429)", "--tunnel=svix"))
			if wait := time.Until(m.NextTry); wait < time.Minute {
				t.Errorf("the next try is in %s", wait)
			}
			start := time.Now()
			if r.Stop(); time.Since(start) > time.Minute/2 {
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

func TestAHungProgramIsNotCalledConnectedAndIsReplaced(t *testing.T) {
	r := open(t, quick(), setup{pace: func(c *cloudflared) {
		c.answer, c.silence, c.patience = 100*time.Millisecond, 2*time.Second, 50*time.Millisecond
	}})
	ready(t, r)
	n := len(r.list())
	hung := quick()
	hung.Mute, hung.Stubborn = true, true
	r.now(hung)
	_, n = r.wait(t, n, "that it does not answer", says(model.TunnelReconnecting, "not responding"))
	_, n = r.wait(t, n, "that it hung", says(model.TunnelReconnecting, "hung"))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}

func TestAProgramThatNeverBeginsToWorkIsReplaced(t *testing.T) {
	s := script{Unmetered: true}
	r := open(t, s, setup{pace: func(c *cloudflared) { c.silence = time.Second }})
	_, n := r.wait(t, 0, "that it does nothing", says(model.TunnelReconnecting, "did not start"))
	r.now(quick())
	r.wait(t, n, "that it is connected", is(model.TunnelConnected))
}
