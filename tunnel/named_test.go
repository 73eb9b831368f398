package tunnel

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aspectop/model"
)

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
	s := script{Stderr: []string{
		`{"level":"error","message":"Register tunnel error from server side","error":"Unauthorized: ` + secret + `"}`,
	}}
	r := open(t, s, setup{options: named})
	refuse(t, r, s, says(model.TunnelFailed, "Unauthorized: …"))
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

func TestANamedTunnelThatLeadsElsewhereIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		config func(local string) json.RawMessage
		public string
		says   string // "" if all is well
	}{
		"here": {func(l string) json.RawMessage {
			return served("hooks.example.com", strings.Replace(l, "127.0.0.1", "localhost", 1))
		}, namedURL, ""},
		"another port": {func(string) json.RawMessage { return served("hooks.example.com", "http://localhost:1") }, namedURL, "route hooks.example.com to http://localhost:1 instead of http://127.0.0.1:"},
		"another scheme": {func(l string) json.RawMessage {
			return served("hooks.example.com", strings.Replace(l, "http:", "https:", 1))
		}, namedURL, "route hooks.example.com to https://"},
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
	_, n := r.wait(t, 0, "that there is none", says(model.TunnelConnected, "set --public-url"))
	s.Config = served("hooks.example.com", r.local.URL)
	r.now(s)
	m, _ := r.wait(t, n, "that it is known", func(m model.Tunnel) bool { return m.PublicURL != "" })
	if m.PublicURL != namedURL || m.Detail != "1 of 4" {
		t.Errorf("reported %+v", m)
	}
}
