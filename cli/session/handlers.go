package session

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/forward"
	"aspectop/receiver"
)

// HandlerFlags configure what else happens with deliveries: forwarding,
// notifications and a command.
type HandlerFlags struct {
	ForwardTo        []string
	forwardSecretEnv string
	exec             string
	notify           bool
}

// Flags adds the flags.
func (h *HandlerFlags) Flags(f *pflag.FlagSet) {
	f.StringArrayVar(&h.ForwardTo, "forward-to", nil, "URL of a handler to forward each message to ("+forward.RetryPolicy+"; then it is given up, and replay sends it again); repeatable")
	f.StringVar(&h.forwardSecretEnv, "forward-secret-env", "", "environment variable with the handler's own secret, for signing forwards")
	f.StringVar(&h.exec, "exec", "", "command to run when a task ends, with the task as JSON on stdin; a task counts as failed as soon as a feature fails, and may recover")
	f.BoolVar(&h.notify, "notify", false, "ring the bell and send a terminal notification when tasks end or stall")
}

// AddHandlers makes the session forward deliveries and run the command.
func (s *Session) AddHandlers(ctx context.Context, f HandlerFlags) error {
	s.notify = f.notify
	sign, err := f.signer()
	if err != nil {
		return err
	}
	s.handlers.sign = sign
	for i, url := range f.ForwardTo {
		if slices.Contains(f.ForwardTo[:i], url) {
			return exit.Usage("--forward-to: the same handler is given twice")
		}
		if s.handlers.url == "" {
			s.handlers.url = url
		}
		reader, err := s.OpenReader()
		if err != nil {
			return err
		}
		forwarder, err := forward.New(ctx, forward.Options{
			URL: url, Journal: reader, Outcomes: s.journal, Resign: s.resign, Sign: sign, Status: s.status,
		})
		if err != nil {
			return exit.Usage("--forward-to: %w", err)
		}
		s.handlers.forwarders = append(s.handlers.forwarders, forwarder)
		s.beside = append(s.beside, func(ctx context.Context) error {
			return s.hold(ctx, "forwarding to "+forwarder.To(), forwarder.Run)
		})
	}
	if f.exec == "" {
		return nil
	}
	// Of a shell command, only a program with its path can be looked for.
	if word, _, _ := strings.Cut(f.exec, " "); plainPath.MatchString(word) {
		if _, err := exec.LookPath(word); err != nil {
			return exit.Setup(fmt.Errorf("--exec: %w", err))
		}
	}
	reader, err := s.OpenReader()
	if err != nil {
		return err
	}
	reader.OmitHeader()
	e, err := forward.NewExec(ctx, forward.ExecOptions{Command: f.exec, Journal: reader, Status: s.status})
	if err != nil {
		return exit.Setup(err)
	}
	s.beside = append(s.beside, e.Run)
	return nil
}

// plainPath is a path that the shell takes as it is.
var plainPath = regexp.MustCompile(`^[\w./-]*/[\w./-]+$`)

// signer signs with the handler's own secret; nil if it has none.
func (h *HandlerFlags) signer() (forward.Signer, error) {
	if h.forwardSecretEnv == "" {
		return nil, nil
	}
	text := os.Getenv(h.forwardSecretEnv)
	if text == "" {
		return nil, exit.Usage("--forward-secret-env: the variable %s is not set", h.forwardSecretEnv)
	}
	secrets, err := receiver.ParseSecrets(text)
	switch {
	case err != nil:
		return nil, exit.Usage("the environment variable %s: %w", h.forwardSecretEnv, err)
	case len(secrets) != 1:
		return nil, exit.Usage("the environment variable %s contains %d secrets, but a handler has one", h.forwardSecretEnv, len(secrets))
	}
	return secrets[0].Sign, nil
}

// knownSecrets adds secrets, such as that of an endpoint registered for this run,
// and returns all.
func (s *Session) knownSecrets(more ...receiver.Secret) []receiver.Secret {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets = append(s.secrets, more...)
	return s.secrets[:len(s.secrets):len(s.secrets)]
}

// resign returns a signer for the secret with the name, nil if it is unknown.
func (s *Session) resign(name string) forward.Signer {
	for _, secret := range s.knownSecrets() {
		if secret.Name == name {
			return secret.Sign
		}
	}
	return nil
}
