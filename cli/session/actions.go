package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"aspectop/forward"
	"aspectop/model"
	"aspectop/printer/report"
	"aspectop/private"
	"aspectop/words"
)

// handlers are the user's handlers that the session forwards to. A replay from the
// screen goes to the first one.
type handlers struct{ forwarders []*forward.Forwarder }

func (h *handlers) queues() []model.Queue {
	queues := make([]model.Queue, len(h.forwarders))
	for i, f := range h.forwarders {
		queues[i] = f.Queue()
	}
	return queues
}

// forwarding counts, over all handlers, what was given up and what is left; nil
// if there is none.
func (h *handlers) forwarding() func() (gaveUp, waiting int) {
	if len(h.forwarders) == 0 {
		return nil
	}
	return func() (gaveUp, waiting int) {
		for _, f := range h.forwarders {
			q := f.Queue()
			gaveUp += q.GaveUp
			waiting += q.Left()
		}
		return gaveUp, waiting
	}
}

// left says what the end is still waiting for, "" if it waits for nothing.
func (h *handlers) left() string {
	count := h.forwarding()
	if count == nil {
		return ""
	}
	_, waiting := count()
	if waiting == 0 {
		return ""
	}
	return fmt.Sprintf("%s still to forward: trying for up to %s, ctrl+c again to stop", words.Count(waiting, "message", "messages"), forward.Drain)
}

// editor is the command that opens a file in the user's editor. It is stopped when
// ctx ends.
func editor(ctx context.Context, path string) (*exec.Cmd, error) {
	command := os.Getenv("VISUAL")
	if command == "" {
		command = os.Getenv("EDITOR")
	}
	words := strings.Fields(command) // it may have arguments, as in "code --wait"
	if len(words) == 0 {
		return nil, errors.New("no editor is configured: set EDITOR, for example EDITOR=vi")
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], path)...)
	cmd.Env = forward.Environment()
	// With SIGTERM an editor can restore the terminal and save its buffer.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// exportTask writes a report about a task to a new file in the current folder, and
// returns its name.
func exportTask(task string, deliveries []model.Delivery, private bool) (path string, err error) {
	var page bytes.Buffer
	if err := report.WriteTask(&page, task, deliveries, report.Options{Now: time.Now(), Redact: private}); err != nil {
		return "", err
	}
	return newFile(fileWord(task), "html", page.Bytes())
}

// savePicture writes a picture of the screen to a new file in the current folder,
// and returns its name.
func savePicture(of, svg string) (path string, err error) {
	return newFile(of, "svg", []byte(svg))
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
	word := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id)
	return word[:min(8, len(word))]
}
