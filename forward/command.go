package forward

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"aspectop/clean"
)

const (
	commandLimit = time.Minute // that a command may run
	tailBytes    = 4096        // kept of what a command writes to its standard error
	tailLines    = 3           // shown of it
)

// runCommand runs a shell command line with input. Its error ends with the last
// lines that the command wrote to its standard error.
func runCommand(ctx context.Context, line string, input []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("ended after %v, the longest it may run", limit))
	defer cancel()
	cmd := shell(ctx, line)
	cmd.Env = Environment()
	cmd.Stdin = bytes.NewReader(input)
	complaint := &tail{}
	cmd.Stderr = complaint
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = Drain // for its children that hold its standard error
	err := cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // whatever its children do
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if text := complaint.lines(); text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

// passed lists the variables that commands inherit: what programs need to find
// files, to use the user's language and to reach the user's desktop.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM",
	"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
	"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
	// Windows
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP",
	"USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES",
}

// Environment returns the environment for the user's commands: the few variables that
// programs need, and none that may hold secrets.
func Environment() []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		name = strings.ToUpper(name) // Windows does not tell cases apart
		if slices.Contains(passed, name) || strings.HasPrefix(name, "LC_") {
			env = append(env, variable)
		}
	}
	return env
}

// tail keeps the last tailBytes bytes that are written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-tailBytes):]...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(p), nil
}

// lines returns the last lines that are not blank, joined to one line of plain
// text.
func (t *tail) lines() string {
	var lines []string
	for line := range bytes.Lines(t.kept) {
		if text := clean.Line(string(line)); text != "" {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines[max(0, len(lines)-tailLines):], " / ")
}
