package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aspectop/cli/exit"
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
