package session

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"

	"github.com/spf13/pflag"

	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/receiver"
	"aspectop/sig"
	"aspectop/words"
)

// HandlerFlags configure what else happens with deliveries: forwarding,
// notifications and a command.
type HandlerFlags struct {
	forwardTo        []string
	targets          []forward.Target // set by Check
	forwardSecretEnv string
	exec             string
	notify           bool

	set *pflag.FlagSet
}

// Flags adds the flags.
func (h *HandlerFlags) Flags(f *pflag.FlagSet) {
	h.Forwards(f)
	f.StringVar(&h.exec, "exec", "", "command to run when a task ends, with the task as JSON on stdin; a task counts as failed as soon as a feature fails, and may recover")
	f.BoolVar(&h.notify, "notify", false, "ring the bell and send a terminal notification when tasks end or stall")
}

// Forwards adds those about forwarding alone.
func (h *HandlerFlags) Forwards(f *pflag.FlagSet) {
	h.set = f
	f.StringArrayVar(&h.forwardTo, "forward-to", nil, "URL of a handler to forward each message to ("+forward.RetryPolicy+"; then it is given up, and replay sends it again); repeatable")
	f.StringVar(&h.forwardSecretEnv, "forward-secret-env", "", "environment variable with the handler's own secret, for signing forwards")
}

// Forward adds a handler.
func (h *HandlerFlags) Forward(url string) { h.forwardTo = append(h.forwardTo, url) }

// handlers are the user's handlers that the session forwards to. A replay from the
// screen goes to the first one.
type handlers struct {
	forwarders []*forward.Forwarder
	command    *forward.Exec // nil without --exec
	env        []string      // of commands and the editor: without our secrets
}

func (h *handlers) queues() []model.Queue {
	queues := make([]model.Queue, len(h.forwarders))
	for i, f := range h.forwarders {
		queues[i] = f.Queue()
	}
	return queues
}

// forwarding counts, over all handlers, what was given up and what is left.
func (h *handlers) forwarding() (gaveUp, waiting int) {
	for _, q := range h.queues() {
		gaveUp += q.GaveUp
		waiting += q.Left()
	}
	return gaveUp, waiting
}

// left says what the end is still waiting for, "" if it waits for nothing.
func (h *handlers) left() string {
	_, waiting := h.forwarding()
	if waiting == 0 {
		return ""
	}
	return fmt.Sprintf("%s still to forward: trying for up to %s, ctrl+c again to stop", words.Count(waiting, "message", "messages"), forward.Drain)
}

// tellOwed says after the screen what --exec is still to be run for: lines have it in their
// end.
func (s *Session) tellOwed() {
	if s.command != nil && s.mode() == onScreen {
		if left := s.command.Left(); left != 0 {
			fmt.Fprintln(os.Stderr, "aspectop: --exec: "+words.Owed(left, s.temporary))
		}
	}
}

// AddHandlers makes the session forward deliveries and run the command.
func (s *Session) AddHandlers(ctx context.Context, f HandlerFlags) error {
	s.notify = f.notify
	s.env = settings.ChildEnvironment(s.home, f.forwardSecretEnv)
	secret, err := f.Check()
	if err != nil {
		return err
	}
	var sign sig.Signer
	if secret != nil {
		sign = secret.Sign
		s.warnOfShort([]receiver.Secret{*secret})
	}
	for _, target := range f.targets {
		forwarder, err := forward.New(ctx, forward.Options{
			Target: target, Feed: s.Feed, Journal: s.rows, Outcomes: s.journal, Resign: s.resign, Sign: sign, Status: s.status,
		})
		if err != nil {
			return exit.Setup(fmt.Errorf("forwarding to %s: %w", clean.URL(target.URL), err))
		}
		s.forwarders = append(s.forwarders, forwarder)
		s.Beside(func(ctx context.Context) error {
			return s.withLease(ctx, "forwarding to "+forwarder.Name(), forwarder.Run)
		})
	}
	if f.exec == "" {
		return nil
	}
	s.command = &forward.Exec{Command: f.exec, Env: s.env, Feed: s.Feed, Journal: s.rows, Outcomes: s.journal, Status: s.status}
	if err := s.command.Open(ctx); err != nil {
		return exit.Setup(fmt.Errorf("--exec: %w", err))
	}
	s.Beside(func(ctx context.Context) error {
		return s.withLease(ctx, s.command.Lease(), s.command.Run)
	})
	return nil
}

// plainPath is a path that the shell takes as it is.
var plainPath = regexp.MustCompile(`^[\w./-]*/[\w./-]+$`)

// setTargets finds the handlers: those of --forward-to or, if there are none, those of
// [[forward]] in the config file.
func (h *HandlerFlags) setTargets() error {
	h.targets = nil
	seen := map[string]bool{}
	for _, text := range h.forwardTo {
		u, err := forward.ParseURL(text)
		if err != nil {
			return exit.Usage("--forward-to: %w", err)
		}
		target := forward.Target{URL: u.String()}
		if seen[target.Key()] {
			return exit.Usage("--forward-to: the same handler is given twice")
		}
		seen[target.Key()] = true
		h.targets = append(h.targets, target)
	}
	if settings.IsOwn(h.set, "forward-to") || h.set.Changed("forward-to") && !settings.InFile(h.set, "forward-to") {
		return nil
	}
	targets, err := settings.Forwards()
	if len(targets) > 0 && len(h.targets) > 0 {
		return exit.Usage("the config file has both --forward-to and [[forward]]; use one of them")
	}
	h.targets = append(h.targets, targets...)
	return err
}

// Forwarding reports, after Check, whether there are handlers.
func (h *HandlerFlags) Forwarding() bool { return len(h.targets) > 0 }

// Check validates the flags and returns the handler's own secret, nil if it has none.
func (h *HandlerFlags) Check() (*receiver.Secret, error) {
	if err := h.setTargets(); err != nil {
		return nil, err
	}
	// Of a shell command, only a program with its path can be looked for.
	if word, _, _ := strings.Cut(h.exec, " "); plainPath.MatchString(word) {
		if _, err := exec.LookPath(word); err != nil {
			return nil, exit.Setup(fmt.Errorf("--exec: %w", err))
		}
	}
	if h.forwardSecretEnv == "" || len(h.targets) == 0 && settings.Waits(h.set, "forward-secret-env") {
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
	return &secrets[0], nil
}
