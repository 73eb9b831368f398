package session

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/tunnel"
)

// ReachFlags configure the tunnel and the registration of an endpoint.
type ReachFlags struct {
	tunnel        string
	cloudflared   string
	tokenFile     string
	tunnelTimeout settings.Span
	PublicURL     string

	Register, NoRegister bool
	keepEndpoint         bool
	secretOut            string
}

// Flags adds the flags.
func (r *ReachFlags) Flags(f *pflag.FlagSet) {
	f.StringVar(&r.tunnel, "tunnel", string(tunnel.Off), "tunnel that makes the receiver public: "+strings.Join(tunnel.Modes(), ", "))
	f.Lookup("tunnel").NoOptDefVal = string(tunnel.Cloudflared)
	f.StringVar(&r.cloudflared, "cloudflared", "", "path of cloudflared (default: found on PATH)")
	f.StringVar(&r.tokenFile, "tunnel-token-file", "", "file with the token of a named tunnel (or set TUNNEL_TOKEN); needs --public-url")
	f.Var(&r.tunnelTimeout, "tunnel-timeout", "fail if the tunnel is not ready after this time (default: keep trying)")
	f.StringVar(&r.PublicURL, "public-url", "", "public URL of your own tunnel")
	f.BoolVar(&r.Register, "register", false, "register an endpoint even if a secret is set")
	f.BoolVar(&r.NoRegister, "no-register", false, "never register an endpoint")
	f.BoolVar(&r.keepEndpoint, "keep-endpoint", false, "keep the registered endpoint for the next run")
	f.StringVar(&r.secretOut, "secret-out", "", "write the registered endpoint's secret to this file, for your handler")
}

// Check validates the flags.
func (r *ReachFlags) Check() error {
	if !slices.Contains(tunnel.Modes(), r.tunnel) {
		return exit.Usage("unknown --tunnel=%s: must be one of %s", r.tunnel, strings.Join(tunnel.Modes(), ", "))
	}
	if r.Register && r.NoRegister {
		return exit.Usage("--register and --no-register cannot be used together")
	}
	if r.PublicURL != "" {
		if err := tunnel.CheckPublicURL(r.PublicURL); err != nil {
			return exit.Usage("--public-url: %w", err)
		}
	}
	if r.tunnel == string(tunnel.SvixRelay) && r.PublicURL != "" {
		return exit.Usage("--tunnel=svix has its own URL; omit --public-url")
	}
	return nil
}

// CheckSecretOut refuses --secret-out in a run that registers no endpoint.
func (r *ReachFlags) CheckSecretOut(registers bool) error {
	if r.secretOut != "" && !registers {
		return exit.Usage("--secret-out writes the secret of an endpoint that watch registers, but with a secret of its own, or without --tunnel or --public-url, it registers none; add --register, or omit --secret-out")
	}
	return nil
}

// Reachable reports whether there is a tunnel or public URL.
func (r *ReachFlags) Reachable() bool { return r.tunnel != string(tunnel.Off) || r.PublicURL != "" }

// Reach is what makes a receiver public according to the flags, nil if nothing does.
// With a client it also registers an endpoint while the session runs.
func (r *ReachFlags) Reach(client *aspect.Client) (*Reach, error) {
	if !r.Reachable() {
		return nil, nil
	}
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	state, err := settings.StateDir()
	if err != nil {
		return nil, exit.Setup(err)
	}
	mode := tunnel.Mode(r.tunnel)
	if mode == tunnel.Off {
		mode = tunnel.OwnURL
	}
	reach := &Reach{
		options: tunnel.Options{
			Mode: mode, PublicURL: r.PublicURL, Program: r.cloudflared, Token: token, StateDir: state,
		},
		timeout: time.Duration(r.tunnelTimeout), keep: r.keepEndpoint, secretOut: r.secretOut,
	}
	if client != nil {
		reach.leases = aspect.NewLeases(client, state)
	}
	return reach, nil
}

// token is the token of a named tunnel, "" for a quick tunnel.
func (r *ReachFlags) token() (string, error) {
	if r.tunnel != string(tunnel.Cloudflared) {
		return "", nil
	}
	token := os.Getenv("TUNNEL_TOKEN")
	if r.tokenFile != "" {
		b, err := os.ReadFile(r.tokenFile)
		if err != nil {
			return "", exit.Usage("--tunnel-token-file: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	switch {
	case token != "" && r.PublicURL == "":
		return "", exit.Usage("a named tunnel (TUNNEL_TOKEN or --tunnel-token-file) needs --public-url, its address at Cloudflare")
	case token == "" && r.PublicURL != "":
		return "", exit.Usage("--tunnel with --public-url is a named tunnel, which needs TUNNEL_TOKEN or --tunnel-token-file; for your own tunnel, omit --tunnel")
	}
	return token, nil
}
