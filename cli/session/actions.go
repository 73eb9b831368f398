package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"aspectop/aspect"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/printer/report"
	"aspectop/ui/screen"
)

// sent is Aspect's API as the screen asks it for what was sent.
type sent struct{ client *aspect.Client }

func (s sent) Messages(ctx context.Context, limit int) ([]screen.SentMessage, error) {
	found, err := s.client.Messages(ctx, limit)
	messages := make([]screen.SentMessage, len(found))
	for i, m := range found {
		messages[i] = screen.SentMessage(m)
	}
	return messages, err
}

func (s sent) Attempts(ctx context.Context, message string, limit int) ([]screen.SentAttempt, error) {
	found, err := s.client.AttemptsByMessage(ctx, message, limit)
	attempts := make([]screen.SentAttempt, len(found))
	for i, a := range found {
		attempts[i] = screen.SentAttempt(a)
	}
	return attempts, err
}

// handlers are the user's own, to which the session forwards. The first one is
// also sent what is replayed from the screen.
type handlers struct {
	forwarders []*forward.Forwarder
	url        string         // of the first one
	sign       forward.Signer // with the handler's own secret; nil: with that of the delivery
}

func (h *handlers) queues() []screen.Queue {
	queues := make([]screen.Queue, len(h.forwarders))
	for i, f := range h.forwarders {
		queues[i] = screen.Queue(f.Queue())
	}
	return queues
}

func (h *handlers) retry(ctx context.Context, to string, seq int64) error {
	for _, f := range h.forwarders {
		if f.To() == to {
			return f.Retry(ctx, seq)
		}
	}
	return errors.New("nothing is forwarded to " + to + " any more")
}

// replay posts a delivery to the first handler once more, re-signed; an
// edited body makes it another message.
func (s *Session) replay(ctx context.Context, d model.Delivery, body []byte) (model.Forward, error) {
	o := forward.ReplayOptions{URL: s.handlers.url, Sign: s.handlers.sign, NewID: body != nil}
	if o.Sign == nil {
		o.Sign = s.resign(d.Secret)
	}
	if o.Sign == nil && d.Secret == "" && len(s.secrets) > 0 { // it came without a signature
		o.Sign = s.secrets[0].Sign
	}
	if o.Sign == nil {
		return model.Forward{}, errors.New("the secret that verified it is no longer known, so it cannot be re-signed; set the handler's own with --forward-secret-env")
	}
	r, err := forward.NewReplay(o)
	if err != nil {
		return model.Forward{}, err
	}
	if body != nil {
		d.Body = body
	}
	return r.Post(ctx, &d), nil
}

// editor makes the command that opens a file in the user's editor. It ends with
// ctx.
func editor(ctx context.Context, path string) (*exec.Cmd, error) {
	command := os.Getenv("VISUAL")
	if command == "" {
		command = os.Getenv("EDITOR")
	}
	words := strings.Fields(command) // it may come with flags, as in "code --wait"
	if len(words) == 0 {
		return nil, errors.New("no editor is configured: set EDITOR, for example EDITOR=vi")
	}
	cmd := exec.CommandContext(ctx, words[0], append(words[1:], path)...)
	cmd.Env = forward.Environment()
	// Asked to end, an editor tidies the terminal up, and can keep a copy of
	// what was typed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// exportTask writes a report about a task to a new file in the current folder,
// readable for this user only, and returns its name.
func exportTask(task string, deliveries []model.Delivery) (path string, err error) {
	name := fmt.Sprintf("aspectop-%s-%s.html", fileWord(task), time.Now().Format("20060102-150405"))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there already", name)
	} else if err != nil {
		return "", err
	}
	err = report.WriteTask(f, task, deliveries, time.Now())
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(name) // half of it would pass for all
	}
	return name, err
}

// fileWord is the beginning of a task's id, with nothing in it that means
// something in a file's name: the id comes from outside.
func fileWord(id string) string {
	word := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id)
	return word[:min(8, len(word))]
}
