package session

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"

	"aspectop/model"
	"aspectop/printer/report"
	"aspectop/private"
)

// Editor is the command that opens a file in the user's editor, with the environment. It
// is stopped when ctx ends.
func Editor(ctx context.Context, env []string, path string) (*exec.Cmd, error) {
	// It may have arguments, as in "code --wait".
	command := strings.Fields(cmp.Or(os.Getenv("VISUAL"), os.Getenv("EDITOR")))
	if len(command) == 0 {
		return nil, errors.New("no editor is configured: set EDITOR, for example EDITOR=vi")
	}
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], path)...)
	cmd.Env = env
	// With SIGTERM an editor can restore the terminal and save its buffer.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// exportTask writes a report about a task to a new file in the current folder, and
// returns its name.
func exportTask(task string, deliveries []model.Delivery, private bool) (path string, err error) {
	var page bytes.Buffer
	if err := report.WriteTask(&page, task, deliveries, report.Options{Now: time.Now(), Private: private}); err != nil {
		return "", err
	}
	return newFile(fileWord(task), "html", page.Bytes())
}

// newFile writes a file in the current folder, for this user only, and returns its
// name. It has its name only when all of it is there.
func newFile(of, ending string, content []byte) (name string, err error) {
	name = fmt.Sprintf("aspectop-%s-%s.%s", of, time.Now().Format("20060102-150405"), ending)
	if _, err := os.Lstat(name); err == nil {
		return "", fmt.Errorf("%s already exists", name)
	}
	return name, replaceFile(name, content)
}

// replaceFile writes a file in place of one that may be there. Where that fails,
// nothing is left of it.
func replaceFile(name string, content []byte) error {
	draft := name + ".draft"
	err := private.Replace(name, draft, content)
	if err != nil {
		os.Remove(draft)
	}
	return err
}

// fileWord is the beginning of a task's id, made safe for a file name: the id comes
// from outside.
func fileWord(id string) string {
	word := unsafeInName.ReplaceAllString(id, "_")
	return word[:min(8, len(word))]
}

var unsafeInName = regexp.MustCompile(`[^A-Za-z0-9_-]`)
