package forward

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"aspectop/clean"
)

const (
	commandLimit = time.Minute // that a command may run
	tailBytes    = 4096        // kept of what a command writes to its standard error
	tailLines    = 3           // shown of it
)

// runCommand runs a shell command line with input and environment. Its error ends with the last
// lines that the command wrote to its standard error.
func runCommand(ctx context.Context, line string, env []string, input []byte, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("ended after %v, the longest it may run", limit))
	defer cancel()
	cmd := shell(ctx, line)
	cmd.Env = env
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
