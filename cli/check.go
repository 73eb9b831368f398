package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aspectop/check"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/forward"
	"aspectop/receiver"
)

// checkTime is how long a check may take.
const checkTime = 2 * time.Minute

// checkFlags are the flags of check.
type checkFlags struct {
	secretEnv, secretFile string
	headers, headerEnv    []string
	insecure, yes, json   bool
	timeout               settings.Duration
	observe               string
	observeTimeout        settings.Duration
	junit                 string
}

func newCheck() *cobra.Command {
	c := &checkFlags{timeout: settings.Duration(checkTime), observeTimeout: settings.Duration(10 * time.Second)}
	cmd := &cobra.Command{
		Use:   "check URL",
		Short: "Find out what is wrong with a webhook handler",
		Long: fmt.Sprintf(`check posts signed, forged and odd messages to a handler and says, property by
property, what it found, what that means, and how to fix it. localhost:3000/path and :3000
are short for http://localhost:3000/path and http://localhost:3000.

Your handler acts on the valid messages: at most %d of at most %d, all about the
invented task %s.
Addresses that are not this machine's or a private network's need --yes.

Exit codes: 0 no fault; 1 a fault or a danger; 2 usage error; 3 no answer,
or something that could not be decided; 124 timed out; 130 interrupted.`, check.MostValid, check.MostProbes, check.TaskID),
		Example: `  aspectop check http://localhost:3000/webhooks/aspect
  aspectop check :3000/webhooks --json
  aspectop check :3000/webhooks --observe ./times-done.sh`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 || args[0] == "":
				return exit.Usage("no URL given, such as http://localhost:3000/webhooks")
			case len(args) > 1:
				return exit.Usage("unexpected argument %s: one handler at a time", clean.Quoted(args[1]))
			}
			return nil
		},
	}
	f := cmd.Flags()
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (c.timeout <= 0 || c.timeout > settings.Duration(checkTime)) && !settings.Waits(f, "timeout") {
			return exit.Usage("--timeout: a check takes two minutes at most, so this is above zero and at most 2m; each answer has 15 s, as at Svix")
		}
		if c.observeTimeout <= 0 {
			return exit.Usage("--observe-timeout: the work of a message takes some time, so this is above zero")
		}
		return c.run(cmd.Context(), args[0])
	}
	f.StringVar(&c.secretEnv, "secret-env", settings.SecretVariable, "environment `variable` with the handler's signing secret")
	settings.PathVar(f, &c.secretFile, "secret-file", "read the signing secret from this `file`", nil)
	f.StringArrayVar(&c.headers, "header", nil, "add this `header` to each request, such as \"X-Tenant: 7\"; repeatable")
	f.StringArrayVar(&c.headerEnv, "header-env", nil, "add a header with its value from a variable: `Name=VARIABLE`; repeatable")
	f.BoolVar(&c.insecure, "insecure", false, "accept any certificate of the handler")
	f.BoolVar(&c.yes, "yes", false, "also check an address that is not in a private network")
	f.StringVar(&c.observe, "observe", "", "`command` that prints how often the work of a message was done; its id is the last argument")
	f.Var(&c.observeTimeout, "observe-timeout", "how long to wait for the work to be done")
	f.Var(&c.timeout, "timeout", "give up after this time, at most 2m")
	settings.PathVar(f, &c.junit, "junit", "also write the result as JUnit XML to this `file`", nil)
	f.BoolVar(&c.json, "json", false, "print one JSON object per line")
	return cmd
}

func (f *checkFlags) run(ctx context.Context, text string) error {
	u, err := forward.ParseURL(text)
	if err != nil {
		return exit.Usage("%w", err)
	}
	o := check.Options{URL: u, Insecure: f.insecure, ObserveFor: time.Duration(f.observeTimeout)}
	if o.Secret, err = f.secret(); err != nil {
		return err
	}
	if o.Header, err = f.header(); err != nil {
		return err
	}
	limit := time.Duration(f.timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTimeout)
	defer cancel()
	if o.Place, err = check.Resolve(ctx, u); err != nil {
		return exit.Setup(fmt.Errorf("%s: %w", clean.URL(u.String()), err))
	}
	if !o.Place.Near && !f.yes {
		return exit.Usage("%s is at %s, which is not on this machine or in a private network; if the handler there may act on up to %d messages about an invented task, add --yes",
			clean.Quoted(u.Hostname()), o.Place.Far, check.MostValid)
	}
	if f.observe != "" {
		o.Observe = f.observer()
	}
	return f.check(ctx, o, limit)
}

// check runs the check and prints what it finds.
func (f *checkFlags) check(ctx context.Context, o check.Options, limit time.Duration) error {
	var failed error // of printing
	if f.json {
		o.Tell = func(p check.Probe) { failed = errors.Join(failed, printProbe(p)) }
	}
	announce := fmt.Sprintf("posting at most %d requests to %s, at most %d of them valid, about the invented task %s of the invented user %s; your handler will act on them",
		check.MostProbes, clean.URL(o.URL.String()), check.MostValid, check.TaskID, check.UserID)
	if f.json {
		fmt.Fprintln(os.Stderr, "aspectop: "+announce)
	} else if err := writeSentence(announce + "\n"); err != nil {
		return err
	}
	r := check.Run(ctx, o)
	verdict := f.verdict(o.URL, r, limit)
	if f.json {
		failed = errors.Join(failed, printFindings(r))
	} else {
		failed = writeSentence(checkText(r, exit.Code(verdict)))
	}
	if f.junit != "" {
		if err := writeJUnit(f.junit, o.URL, r); err != nil {
			failed = errors.Join(failed, exit.Setup(err))
		}
	}
	return cmp.Or(failed, verdict)
}

// verdict is the error that a report ends with.
func (f *checkFlags) verdict(u *url.URL, r *check.Report, limit time.Duration) error {
	to := clean.URL(u.String())
	switch {
	case errors.Is(r.Err, errTimeout):
		return exit.With(exit.TimedOut, fmt.Errorf("timed out after %s and %d requests", limit, r.Probes))
	case errors.Is(r.Err, context.Canceled):
		return exit.With(exit.Interrupted, fmt.Errorf("interrupted after %d requests", r.Probes))
	case r.Bad():
		n := 0
		for _, found := range r.Findings {
			if found.Bad() {
				n++
			}
		}
		text := fmt.Sprintf("%s has %d faults", to, n)
		if n == 1 {
			text = to + " has 1 fault"
		}
		return errors.New(strings.Join(append([]string{text}, r.Undecided...), "; undecided: "))
	case r.Err != nil:
		return exit.Setup(fmt.Errorf("%s: %w%s", to, r.Err, f.advice(u, r.Err)))
	case len(r.Undecided) > 0:
		return exit.Setup(fmt.Errorf("%s: undecided: %s", to, strings.Join(r.Undecided, "; ")))
	}
	return nil
}

// advice says what to do about an error of the connection.
func (f *checkFlags) advice(u *url.URL, err error) string {
	text := err.Error()
	switch {
	case errors.Is(err, check.ErrNobody):
		return "; is the handler running, and on this port?"
	case strings.Contains(text, "certificate"):
		return "; --insecure accepts any certificate"
	case strings.Contains(text, "server gave HTTP response to HTTPS client"):
		return "; the handler does not speak TLS: use http://" + u.Host
	case strings.Contains(text, "malformed HTTP"):
		return "; what listens there does not speak HTTP (TLS, perhaps: then use https://)"
	}
	return ""
}

func (f *checkFlags) secret() (receiver.Secret, error) {
	if f.secretFile == "" {
		return settings.SigningSecret(f.secretEnv)
	}
	secrets, err := settings.ReadSecrets(f.secretFile)
	if err != nil {
		return receiver.Secret{}, err
	}
	return secrets[0], nil
}

// header are the headers that the user adds.
func (f *checkFlags) header() (http.Header, error) {
	h := http.Header{}
	for _, text := range f.headers {
		name, value, err := forward.ParseHeader(text)
		if err != nil {
			return nil, exit.Usage("--header: %w", err)
		}
		h.Add(name, value)
	}
	for _, text := range f.headerEnv {
		name, variable, found := strings.Cut(text, "=")
		name, err := forward.HeaderName(name)
		value := strings.TrimSpace(os.Getenv(variable))
		switch {
		case !found || variable == "":
			return nil, exit.Usage("--header-env has to look like Authorization=VARIABLE")
		case err != nil:
			return nil, exit.Usage("--header-env: %w", err)
		case value == "":
			return nil, exit.Usage("--header-env %s: the environment variable is empty", name)
		}
		h.Add(name, value)
	}
	return h, nil
}

// observer asks the command of --observe.
func (f *checkFlags) observer() func(ctx context.Context, id string) (int, error) {
	env := settings.ChildEnvironment(settings.Location{}, slices.Concat(f.headerEnv, []string{f.secretEnv})...)
	return func(ctx context.Context, id string) (int, error) {
		var out bytes.Buffer
		if err := forward.RunCommand(ctx, f.observe+" "+id, env, nil, &out, time.Duration(f.observeTimeout)); err != nil {
			return 0, fmt.Errorf("--observe: %w", err)
		}
		n, err := check.Count(out.String())
		if err != nil {
			return 0, fmt.Errorf("--observe: %w", err)
		}
		return n, nil
	}
}
