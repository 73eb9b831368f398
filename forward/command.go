package forward

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	// commandLimit is how long a command may run.
	commandLimit = time.Minute
	// Of what a command writes to its standard error, at most so many bytes are
	// kept and so many lines shown.
	tailBytes = 4096
	tailLines = 3
)

// runCommand runs a line of the shell with input. Its error ends with the last
// lines of the command's own complaint.
func runCommand(ctx context.Context, line string, input []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("ended after %v, the longest it may run", limit))
	defer cancel()
	cmd := shell(ctx, line)
	cmd.Env = Environment()
	cmd.Stdin = bytes.NewReader(input)
	complaint := &tail{}
	cmd.Stderr = complaint
	cmd.Cancel = func() error { return killGroup(cmd.Process) }
	cmd.WaitDelay = drain // for what it left behind with its standard error open
	err := cmd.Run()
	if cmd.ProcessState != nil && cmd.ProcessState.Success() {
		return nil // whatever became of what it left behind
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if said := complaint.lines(); said != "" {
		return fmt.Errorf("%w: %s", err, said)
	}
	return err
}

// passed are the variables that a command gets from our environment: what
// programs need to find files, to speak the user's language and to reach the
// user's desktop.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TERM",
	"XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
	"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS",
	// Windows
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP",
	"USERPROFILE", "USERNAME", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES",
}

// Environment is that of a command which is not ours: what programs need to find
// their way, and never a variable of Aspect's, which may hold a secret.
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

// tail keeps the last bytes that are written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-tailBytes):]...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(p), nil
}

// lines are the last lines that say something, as one line of plain text.
func (t *tail) lines() string {
	var said []string
	for line := range bytes.Lines(t.kept) {
		if text := plain(line); text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said[max(0, len(said)-tailLines):], " / ")
}

// sequences are what terminals act on: CSI, OSC, and escapes of two characters.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)`)

// plain is text without anything that could act on a terminal.
func plain(text []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(sequences.ReplaceAll(text, nil))))
}
