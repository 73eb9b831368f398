package cli

import (
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/tunnel"
)

// reachFlags say how the receiver is reachable from outside, and whether an
// endpoint is registered for it.
type reachFlags struct {
	tunnel        string
	cloudflared   string
	tokenFile     string
	tunnelTimeout span
	publicURL     string

	register, noRegister bool
	keepEndpoint         bool
	secretOut            string
}

func (r *reachFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&r.tunnel, "tunnel", "off", "make the receiver reachable from outside: cloudflared, svix or off")
	f.Lookup("tunnel").NoOptDefVal = string(tunnel.Cloudflared)
	f.StringVar(&r.cloudflared, "cloudflared", "", "path of cloudflared (default: found on PATH)")
	f.StringVar(&r.tokenFile, "tunnel-token-file", "", "file with the token of a named tunnel (or TUNNEL_TOKEN), with --public-url")
	f.Var(&r.tunnelTimeout, "tunnel-timeout", "fail if the tunnel is not ready after this time (default: keep trying)")
	f.StringVar(&r.publicURL, "public-url", "", "URL of a tunnel of your own that leads here")
	f.BoolVar(&r.register, "register", false, "register an endpoint at Aspect although a secret is set")
	f.BoolVar(&r.noRegister, "no-register", false, "never register an endpoint")
	f.BoolVar(&r.keepEndpoint, "keep-endpoint", false, "keep the registered endpoint for the next start")
	f.StringVar(&r.secretOut, "secret-out", "", "file to write the registered endpoint's secret to, for your handler")
}

func (r *reachFlags) checkReach() error {
	switch r.tunnel {
	case "off", string(tunnel.Cloudflared), string(tunnel.SvixRelay):
	default:
		return usageError("--tunnel=%s is not known; it is cloudflared, svix or off", r.tunnel)
	}
	if r.register && r.noRegister {
		return usageError("--register and --no-register exclude each other")
	}
	if r.publicURL != "" {
		if err := tunnel.CheckPublicURL(r.publicURL); err != nil {
			return usageError("--public-url: %w", err)
		}
	}
	if r.tunnel == string(tunnel.SvixRelay) && r.publicURL != "" {
		return usageError("--tunnel=svix has a URL of its own; leave out --public-url")
	}
	return nil
}

// reachable reports whether there is a way from outside.
func (r *reachFlags) reachable() bool { return r.tunnel != "off" || r.publicURL != "" }

// newReach prepares the way from outside; nil if there is none.
func (w *watchFlags) newReach(p plan) (*reach, error) {
	if !w.reachable() || !p.receive {
		return nil, nil
	}
	token, err := w.token()
	if err != nil {
		return nil, err
	}
	state, err := stateDir()
	if err != nil {
		return nil, setupError(err)
	}
	mode := tunnel.Mode(w.tunnel)
	if w.tunnel == "off" {
		mode = tunnel.OwnURL
	}
	r := &reach{
		options: tunnel.Options{
			Mode: mode, PublicURL: w.publicURL, Program: w.cloudflared, Token: token, StateDir: state,
		},
		timeout: time.Duration(w.tunnelTimeout), keep: w.keepEndpoint, secretOut: w.secretOut,
	}
	if p.register {
		r.registrar = aspect.NewRegistrar(p.client, state)
	}
	return r, nil
}

// token is that of a named tunnel, "" for a quick one.
func (r *reachFlags) token() (string, error) {
	if r.tunnel != string(tunnel.Cloudflared) {
		return "", nil
	}
	token := os.Getenv("TUNNEL_TOKEN")
	if r.tokenFile != "" {
		b, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return "", usageError("--tunnel-token-file: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	switch {
	case token != "" && r.publicURL == "":
		return "", usageError("a named tunnel (TUNNEL_TOKEN or --tunnel-token-file) needs --public-url, the address it was given at Cloudflare")
	case token == "" && r.publicURL != "":
		return "", usageError("--tunnel with --public-url is a named tunnel, which needs TUNNEL_TOKEN or --tunnel-token-file; for a tunnel of your own, leave out --tunnel")
	}
	return token, nil
}
