package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/pflag"

	"aspectop/forward"
	"aspectop/journal"
	"aspectop/receiver"
)

// handlerFlags say what else is done with deliveries: posted to handlers of the
// user's own, told by notices, given to a command.
type handlerFlags struct {
	forwardTo        []string
	forwardSecretEnv string
	exec             string
	notify           bool
}

func (h *handlerFlags) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&h.forwardTo, "forward-to", nil, "URL of a handler to post each message to (may be repeated)")
	f.StringVar(&h.forwardSecretEnv, "forward-secret-env", "", "variable with the handler's own secret, to sign forwards with")
	f.StringVar(&h.exec, "exec", "", "command to run for each task that ends, with the task as JSON on its input")
	f.BoolVar(&h.notify, "notify", false, "ring, and send a notice to the terminal, when tasks end or stall")
}

// addHandlers lets the session forward deliveries and run the command.
func (w *watchFlags) addHandlers(ctx context.Context, s *session) error {
	s.notify = w.notify
	sign, err := w.signer()
	if err != nil {
		return err
	}
	s.handlers.sign = sign
	for i, url := range w.forwardTo {
		if slices.Contains(w.forwardTo[:i], url) {
			return usageError("--forward-to names the same handler twice")
		}
		if s.handlers.url == "" {
			s.handlers.url = url
		}
		reader, err := s.openReader()
		if err != nil {
			return err
		}
		f, err := forward.New(ctx, forward.Options{
			URL: url, Journal: reader, Outcomes: s.journal, Resign: s.resign, Sign: sign, Status: s.status,
		})
		if err != nil {
			return usageError("--forward-to: %w", err)
		}
		s.handlers.forwarders = append(s.handlers.forwarders, f)
		s.beside = append(s.beside, func(ctx context.Context) error {
			return s.hold(ctx, "forwarding to "+f.To(), f.Run)
		})
	}
	if w.exec == "" {
		return nil
	}
	reader, err := s.openReader()
	if err != nil {
		return err
	}
	reader.OmitHeader()
	e, err := forward.NewExec(ctx, forward.ExecOptions{Command: w.exec, Journal: reader, Status: s.status})
	if err != nil {
		return setupError(err)
	}
	s.beside = append(s.beside, e.Run)
	return nil
}

// signer signs with the handler's own secret; nil if it has none.
func (h *handlerFlags) signer() (forward.Signer, error) {
	if h.forwardSecretEnv == "" {
		return nil, nil
	}
	text := os.Getenv(h.forwardSecretEnv)
	if text == "" {
		return nil, usageError("--forward-secret-env: the variable %s is not set", h.forwardSecretEnv)
	}
	secrets, err := receiver.ParseSecrets(text)
	switch {
	case err != nil:
		return nil, usageError("the environment variable %s: %w", h.forwardSecretEnv, err)
	case len(secrets) != 1:
		return nil, usageError("the environment variable %s holds %d secrets; a handler has one", h.forwardSecretEnv, len(secrets))
	}
	return secrets[0].Sign, nil
}

// resign returns what signs with the secret of that name, nil if it is not known.
func (s *session) resign(name string) forward.Signer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range s.secrets {
		if secret.Name == name {
			return secret.Sign
		}
	}
	return nil
}

// hold runs a job that only one of the processes on a journal does at a time, and
// says who does it if it is another one.
func (s *session) hold(ctx context.Context, job string, run func(context.Context) error) error {
	elsewhere := false
	err := s.journal.Hold(ctx, job, func(h journal.Holder) {
		switch {
		case !h.Self && h.Name != "":
			s.notice(fmt.Sprintf("%s is done by %s; this process takes over when that one ends", job, h.Name))
		case h.Self && elsewhere:
			s.notice("this process has taken over " + job)
		}
		elsewhere = !h.Self
	}, run)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
