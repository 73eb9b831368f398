package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

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
		root := newRoot()
		root.SetArgs(args)
		root.SetOut(new(strings.Builder))
		if err := root.Execute(); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
