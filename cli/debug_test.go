package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aspectop/cli/settings"
)

func TestTheDebugLogGoesToAFileThatOthersCannotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "debug.log")
	t.Setenv(settings.DebugVariable, path)
	stop, err := startDebugLog()
	if err != nil {
		t.Fatal(err)
	}
	slog.Debug("said", "what", "\x1b[2J")
	stop()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "msg=said") || strings.Contains(string(text), "\x1b") {
		t.Errorf("%v: %s", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, mode %v", err, info.Mode())
	}
	t.Setenv(settings.DebugVariable, filepath.Join(path, "no", "folder"))
	if _, err := startDebugLog(); err == nil {
		t.Error("a log that cannot be written was accepted")
	}
}

func TestProfilesAreServedOnLoopbackOnly(t *testing.T) {
	root := newRoot()
	root.SetArgs([]string{"export", "--pprof", "0.0.0.0:0", "--journal", filepath.Join(t.TempDir(), "none")})
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if err := root.Execute(); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("got %v", err)
	}
}
