package tunnel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aspectop/model"
)

func TestStartRefusesWhatCannotWork(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	secret := "c2VjcmV0LXRva2Vu"
	for name, c := range map[string]struct {
		options Options
		says    []string
	}{
		"no program":        {Options{Mode: Cloudflared}, []string{"cloudflared is not installed", "--tunnel=svix"}},
		"program not there": {Options{Mode: Cloudflared, Program: "/no/such/program"}, []string{"--cloudflared /no/such/program cannot be run: no such file"}},
		"not executable":    {Options{Mode: Cloudflared, Program: plain}, []string{"cannot be run: permission denied"}},
		"bad token":         {Options{Mode: Cloudflared, Token: secret}, []string{"invalid tunnel token", "dashboard"}},
		"named at no URL":   {Options{Mode: Cloudflared, Token: token("x"), PublicURL: "example"}, []string{`"example" is not a public URL`}},
		"no URL":            {Options{Mode: OwnURL}, []string{"--public-url"}},
		"ftp":               {Options{Mode: OwnURL, PublicURL: "ftp://example.com"}, []string{"is not a public URL"}},
		"no host":           {Options{Mode: OwnURL, PublicURL: "https:///x"}, []string{"is not a public URL"}},
		"query":             {Options{Mode: OwnURL, PublicURL: "https://example.com/x?y"}, []string{"must not have a query", "x?…"}},
		"password":          {Options{Mode: OwnURL, PublicURL: "https://me:hush@example.com"}, []string{"must not contain"}},
		"unknown":           {Options{Mode: "ngrok"}, []string{`unknown tunnel "ngrok"`}},
		"no state":          {Options{Mode: SvixRelay}, []string{"no directory"}},
		"state is a file":   {Options{Mode: SvixRelay, StateDir: plain}, []string{"cannot read the relay's token"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Local, c.options.Path = "http://127.0.0.1:8787", webhookPath
			c.options.Prober, c.options.Report = newProber(), func(model.Tunnel) {}
			_, err := Start(t.Context(), c.options)
			if err == nil {
				t.Fatal("it was not refused")
			}
			for _, words := range c.says {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%v", err)
				}
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "hush") {
				t.Errorf("a secret is quoted: %v", err)
			}
		})
	}
}

func TestALocalAddressThatCouldBeTakenForSomethingElseIsRefused(t *testing.T) {
	for _, local := range []string{"", "127.0.0.1:8787", "http://127.0.0.1", "http://127.0.0.1:8787/x", "https://127.0.0.1:8787", "http://a:b@127.0.0.1:1"} {
		if checkLocal(local) == nil {
			t.Errorf("%q is accepted", local)
		}
	}
	for _, local := range []string{"http://127.0.0.1:8787", "http://[::1]:8787"} {
		if err := checkLocal(local); err != nil {
			t.Error(err)
		}
	}
}

func TestAMissingProgramComesWithHowToInstallItHere(t *testing.T) {
	for _, c := range []struct{ system, arch, says string }{
		{"darwin", "arm64", "brew install cloudflared"},
		{"windows", "amd64", "winget install --id Cloudflare.cloudflared"},
		{"linux", "arm64", "/latest/download/cloudflared-linux-arm64"},
		{"linux", "riscv64", "releases/latest"},
		{"freebsd", "amd64", "releases/latest"},
	} {
		if got := installation(c.system, c.arch); !strings.Contains(got, c.says) {
			t.Errorf("%s/%s: %s", c.system, c.arch, got)
		}
	}
}

func TestAPublicURLWithoutAPathGetsOurs(t *testing.T) {
	for given, want := range map[string]string{
		"https://example.com":           "https://example.com/webhooks/aspect",
		"https://example.com/":          "https://example.com/webhooks/aspect",
		"https://example.com:8443":      "https://example.com:8443/webhooks/aspect",
		"https://example.com/hook":      "https://example.com/hook",
		"https://example.com/hook/":     "https://example.com/hook/",
		"http://example.com/a%2Fb%20//": "http://example.com/a%2Fb%20//",
	} {
		if got, err := webhookURL(given, webhookPath); err != nil || got != want {
			t.Errorf("%s becomes %s, %v", given, got, err)
		}
	}
}
