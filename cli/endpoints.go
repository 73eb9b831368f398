package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/receiver"
)

func newEndpoints() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoints create|update|delete",
		Short: "Create, update and delete webhook endpoints at Aspect",
		Long: `endpoints manages the webhook endpoints of the account. It needs an API key in
` + settings.KeyVariable + `. Aspect's API cannot list endpoints, so note the id that create
prints, or look in Aspect's dashboard.

These endpoints are permanent, unlike the one that watch registers and deletes.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEndpointCreate(), newEndpointUpdate(), newEndpointDelete())
	return cmd
}

type endpointFlags struct {
	accountFlags
	spec aspect.EndpointSpec

	secretOut  string // of create
	showSecret bool

	enable bool // of update
}

func (e *endpointFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&e.spec.URL, "url", "", "`URL` that Svix posts to; must be reachable from the internet")
	f.StringVar(&e.spec.Description, "description", "", "`text` shown in the dashboard")
	f.StringArrayVar(&e.spec.EventTypes, "event-type", nil, "event `type` to receive, such as task.failed or task.* for all; repeatable")
	f.IntVar(&e.spec.RateLimit, "rate-limit", 120, "maximum number of deliveries per second")
}

func (e *endpointFlags) check() error {
	u, err := url.Parse(e.spec.URL)
	switch {
	case e.spec.URL == "":
		return exit.Usage("--url is missing: the URL that Svix posts to, such as https://example.com/webhooks/aspect")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return exit.Usage("--url must begin with https:// or http:// and a host")
	case e.spec.RateLimit < 1:
		return exit.Usage("--rate-limit %d: must be at least 1", e.spec.RateLimit)
	}
	return nil
}

// print prints an endpoint, with its secret or the file that contains it.
func (e *endpointFlags) print(done string, p aspect.Endpoint, secret, file string) error {
	o := newLine("endpoint")
	o.Text("id", p.ID)
	o.Text("url", clean.NoLogin(p.URL))
	o.Text("description", p.Description)
	putValue(o, "event_types", p.EventTypes)
	o.Number("rate_limit", int64(p.RateLimit))
	o.Bool("disabled", p.Disabled)
	o.Time("created", p.Created)
	o.Time("updated", p.Updated)
	o.TextOrNull("secret", secret)
	o.TextOrNull("secret_file", file)
	putValue(o, "raw", p.Raw)
	text := clean.Text(fmt.Sprintf("%s webhook endpoint %s: %s to %s, at most %d per second",
		done, p.ID, strings.Join(p.EventTypes, ", "), clean.URL(p.URL), p.RateLimit))
	if p.Disabled {
		text += "; it is disabled"
	}
	switch {
	case secret != "":
		text += "\nits secret is " + secret
	case file != "":
		text += "\nits secret is in " + file
	}
	return printResult(e.json, o, text)
}

func newEndpointCreate() *cobra.Command {
	var e endpointFlags
	cmd := &cobra.Command{
		Use:   "create --url URL --secret-out FILE",
		Short: "Create a webhook endpoint and save its secret",
		Long: `create makes a permanent webhook endpoint. Aspect returns its signing secret only
once: --secret-out writes it to a new file that only you can read, --show-secret
prints it. After --timeout or an interrupt, create waits up to 5 seconds for the
answer to a request that was sent: only the answer names what was created.`,
		Example: `  aspectop endpoints create --url https://example.com/webhooks/aspect --secret-out aspect.secret
  aspectop watch --secret-file aspect.secret`,
		Args:    noArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return e.checkCreate(cmd.Flags()) },
	}
	e.flags(cmd.Flags())
	settings.PathVar(cmd.Flags(), &e.secretOut, "secret-out", "new `file` to write the secret to", nil)
	cmd.Flags().BoolVar(&e.showSecret, "show-secret", false, "print the secret")
	return e.calls(cmd, e.create)
}

func (e *endpointFlags) checkCreate(flags *pflag.FlagSet) error {
	if err := e.check(); err != nil {
		return err
	}
	switch {
	case e.secretOut == "" && !e.showSecret:
		return exit.Usage("Aspect returns the endpoint's secret only once: save it with --secret-out FILE, or print it with --show-secret")
	case e.secretOut != "" && e.showSecret && !settings.Overrides(flags, "secret-out", "show-secret"):
		return exit.Usage("--secret-out and --show-secret cannot be used together")
	}
	return nil
}

func (e *endpointFlags) create(ctx context.Context, c *aspect.Client, _ []string) error {
	spec := e.spec
	if len(spec.EventTypes) == 0 {
		spec.EventTypes = []string{aspect.AllTaskEvents}
	}
	if spec.Description == "" { // to find the endpoint if the answer is lost
		spec.Description = "aspectop endpoints create " + time.Now().UTC().Format(time.RFC3339)
	}
	file, err := newSecretFile(e.secretOut) // before there is a secret to lose
	if err != nil {
		return err
	}
	created, err := c.CreateEndpoint(ctx, spec)
	if err == nil {
		if err = file.keep(created.Secret); err != nil {
			err = undoCreate(c, created.Endpoint.ID, err)
		}
	} else if !aspect.Undone(err) {
		err = &aspect.LostAnswerError{Description: spec.Description, URL: spec.URL, Err: err}
	}
	if err != nil {
		return errors.Join(err, file.discard())
	}
	secret := ""
	if e.showSecret {
		secret = created.Secret.Reveal()
	}
	return e.print("created", created.Endpoint, secret, e.secretOut)
}

const undoTime = 10 * time.Second

// undoCreate deletes an endpoint whose secret could not be saved.
func undoCreate(c *aspect.Client, id string, why error) error {
	ctx, cancel := context.WithTimeout(context.Background(), undoTime)
	defer cancel()
	err := c.DeleteEndpoint(ctx, id)
	id = clean.Text(id)
	if err != nil && !errors.Is(err, aspect.ErrNotFound) {
		return fmt.Errorf("%w; the endpoint %s could not be deleted again: %w; to delete it, run: aspectop endpoints delete %s", why, id, err, id)
	}
	return fmt.Errorf("%w; the endpoint %s was deleted again", why, id)
}

// secretFile is the file of --secret-out; nil without that flag.
type secretFile struct{ *os.File }

// newSecretFile creates the file. It does not overwrite one, which may contain the
// only copy of another secret.
func newSecretFile(path string) (*secretFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, exit.Usage("--secret-out: %s already exists and may contain another secret; choose a new file", path)
	} else if err != nil {
		return nil, exit.Usage("--secret-out: %w", err)
	}
	return &secretFile{f}, nil
}

// keep checks that there is a secret that can verify deliveries, and writes it.
func (f *secretFile) keep(secret aspect.Credential) error {
	if secret.Empty() {
		return errors.New("the answer from Aspect contains no secret")
	}
	if one, err := receiver.ParseSecrets(secret.Reveal()); err != nil {
		return fmt.Errorf("the secret that Aspect returned is invalid: %w", err)
	} else if len(one) != 1 {
		return errors.New("the secret that Aspect returned is invalid: it contains white space or a comma")
	}
	if f == nil {
		return nil
	}
	_, err := f.WriteString(secret.Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.inPlace(), f.Close()); err != nil {
		return fmt.Errorf("cannot save the secret: %w", err)
	}
	return nil
}

// inPlace checks that the file has not been removed or replaced meanwhile.
func (f *secretFile) inPlace() error {
	ours, err := f.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(f.Name()); err != nil || !os.SameFile(ours, there) {
		return fmt.Errorf("%s was removed or replaced meanwhile", f.Name())
	}
	return nil
}

func (f *secretFile) discard() error {
	if f == nil || f.inPlace() != nil { // what is there now is not ours
		return nil
	}
	f.Close()
	return os.Remove(f.Name())
}

func newEndpointUpdate() *cobra.Command {
	var e endpointFlags
	cmd := &cobra.Command{
		Use:   "update ID --url URL --description TEXT --event-type TYPE --rate-limit N --enable|--disable",
		Short: "Replace all settings of a webhook endpoint",
		Long: `update replaces all settings of a webhook endpoint; its secret stays the same.
All flags are required, because Aspect's API replaces all settings at once and
cannot read the current ones.`,
		Example: `  aspectop endpoints update ep_123 --url https://example.com/new --description "Prod listener" \
      --event-type 'task.*' --rate-limit 120 --enable`,
		Args:    oneEndpoint,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return e.checkUpdate(cmd.Flags()) },
	}
	e.flags(cmd.Flags())
	cmd.Flags().BoolVar(&e.enable, "enable", false, "enable deliveries")
	cmd.Flags().BoolVar(&e.spec.Disabled, "disable", false, "disable deliveries")
	return e.calls(cmd, func(ctx context.Context, c *aspect.Client, args []string) error {
		state, err := settings.StateDir()
		if err != nil {
			return exit.Setup(err)
		}
		updated, err := aspect.NewLeases(c, state).Update(ctx, args[0], e.spec)
		if err != nil {
			return err
		}
		if updated.Notice != "" {
			fmt.Fprintf(os.Stderr, "aspectop: webhook endpoint %s: %s\n", clean.Text(updated.ID), updated.Notice)
		}
		return e.print("updated", updated, "", "")
	})
}

func oneEndpoint(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return exit.Usage("no endpoint given: %s ep_...", cmd.CommandPath())
	case len(args) > 1:
		return exit.Usage("unexpected argument %q: only one endpoint at a time", args[1])
	case args[0] == "":
		return errNoID
	}
	return nil
}

func (e *endpointFlags) checkUpdate(flags *pflag.FlagSet) error {
	var missing []string
	for _, name := range []string{"url", "description", "event-type", "rate-limit"} {
		if !flags.Changed(name) {
			missing = append(missing, "--"+name)
		}
	}
	if e.enable == e.spec.Disabled && !(e.enable && settings.Overrides(flags, "enable", "disable")) {
		missing = append(missing, "one of --enable and --disable")
	}
	if len(missing) > 0 {
		return exit.Usage("an update replaces all fields, and the API cannot read the current ones; also set %s", strings.Join(missing, ", "))
	}
	return e.check()
}

func newEndpointDelete() *cobra.Command {
	var a accountFlags
	return a.calls(&cobra.Command{
		Use:   "delete ID",
		Short: "Delete a webhook endpoint and its pending retries",
		Long: `delete removes a webhook endpoint and the deliveries that Svix would still retry.
Deleting an endpoint that does not exist succeeds.`,
		Args: oneEndpoint,
	}, func(ctx context.Context, c *aspect.Client, args []string) error {
		err := c.DeleteEndpoint(ctx, args[0])
		gone := errors.Is(err, aspect.ErrNotFound)
		if err != nil && !gone {
			return err
		}
		o := newLine("endpoint_deleted")
		o.Text("id", args[0])
		o.Bool("gone", gone) // it did not exist
		if gone {
			return printResult(a.json, o, "webhook endpoint "+args[0]+" does not exist in this account; nothing to delete")
		}
		return printResult(a.json, o, "deleted webhook endpoint "+args[0]+" and its pending retries")
	})
}
