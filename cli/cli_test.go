package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aspectop/cli/exit"

	"github.com/spf13/pflag"
)

// runs runs a command in this process.
func runs(args ...string) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(new(strings.Builder))
	return root.Execute()
}

func TestAnUnknownFlagIsAUsageErrorOfEveryCommand(t *testing.T) {
	for _, cmd := range commands(newRoot()) {
		args := append(strings.Fields(cmd.CommandPath())[1:], "--no-such-flag")
		if err := runs(args...); exit.Code(err) != exit.Misused {
			t.Errorf("%q: %v", args, err)
		}
	}
}

func TestWhatOnlyPrintsWorksWithAnyConfigFile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	path := filepath.Join(folder, "aspectop", "config.toml")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"version"}, {"man"}, {"completion", "bash"}, {"--help"}, {"watch", "--help"}} {
		if err := runs(args...); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// A flag for a file or directory that is defined in another way makes a directory
// named "~" of what no shell has expanded.
func TestEveryFlagForAPathExpandsTheHomeDirectory(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	names := regexp.MustCompile(`\b(file|directory|path of|journal)\b`)
	found := map[string]bool{}
	for _, cmd := range commands(newRoot()) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() != "string" || !names.MatchString(f.Usage) {
				return
			}
			found[f.Name] = true
			if err := f.Value.Set("~/x"); err != nil || f.Value.String() != "/home/me/x" {
				t.Errorf("%s --%s=~/x is %q, %v", cmd.CommandPath(), f.Name, f.Value, err)
			}
		})
	}
	for _, name := range []string{
		"journal", "secret-file", "secret-out", "cloudflared", "tunnel-token-file", "ssh-keys", "record", "picture", "scenario", "dir", "web-cert", "web-key", "body",
	} {
		if !found[name] {
			t.Errorf("--%s is not looked at", name)
		}
	}
}
