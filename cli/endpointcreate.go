package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
)

func newEndpointCreate() *cobra.Command {
	var e endpointFlags
	cmd := &cobra.Command{
		Use:   "create --url URL --secret-out FILE",
		Short: "Create a webhook endpoint, and keep its secret",
		Long: `create makes a webhook endpoint that stays until it is deleted. Aspect tells its
signing secret in this answer and never again, so say where it goes: --secret-out
writes it to a new file that only you can read, --show-secret prints it.`,
		Example: `  aspectop endpoints create --url https://example.com/webhooks/aspect --secret-out aspect.secret
  aspectop watch --secret-file aspect.secret`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.create(cmd.Context()) }
	e.flags(cmd.Flags())
	cmd.Flags().StringVar(&e.secretOut, "secret-out", "", "new `file` to write the secret to")
	cmd.Flags().BoolVar(&e.showSecret, "show-secret", false, "print the secret")
	e.accountFlags.flags(cmd.Flags())
	return cmd
}

func (e *endpointFlags) create(ctx context.Context) error {
	spec, err := e.spec()
	if err != nil {
		return err
	}
	switch {
	case e.secretOut == "" && !e.showSecret:
		return usageError("Aspect tells the endpoint's secret only once, now: say where it goes with --secret-out FILE, or have it printed with --show-secret")
	case e.secretOut != "" && e.showSecret:
		return usageError("--secret-out and --show-secret exclude each other")
	}
	if len(spec.EventTypes) == 0 {
		spec.EventTypes = []string{aspect.AllTaskEvents}
	}
	if spec.Description == "" { // so that it can be found, should the answer get lost
		spec.Description = "aspectop endpoints create " + time.Now().UTC().Format(time.RFC3339)
	}
	return e.ask(ctx, func(ctx context.Context, c *aspect.Client) error {
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
		return e.tellCreated(created)
	})
}

// undoCreate deletes an endpoint whose secret is lost, for the reason why.
func undoCreate(c *aspect.Client, id string, why error) error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	if err := c.DeleteEndpoint(ctx, id); err != nil && !errors.Is(err, aspect.ErrNotFound) {
		return fmt.Errorf("%w; and the endpoint %s could not be deleted again: %w; to delete it: aspectop endpoints delete %s", why, id, err, id)
	}
	return fmt.Errorf("%w; so the endpoint %s was deleted again", why, id)
}

// secretFile is a new file for a secret that is about to be known; nil if there
// is none.
type secretFile struct{ *os.File }

// newSecretFile makes the file. One that is there is left alone: it may hold the
// only copy of another secret.
func newSecretFile(path string) (*secretFile, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, usageError("--secret-out: %s is there already, and may hold another secret; name a new file", path)
	} else if err != nil {
		return nil, usageError("--secret-out: %w", err)
	}
	return &secretFile{f}, nil
}

// keep writes the secret, if there is one and a file for it.
func (f *secretFile) keep(secret aspect.Credential) error {
	if secret.Empty() {
		return errors.New("the answer of Aspect holds no secret")
	}
	if f == nil {
		return nil
	}
	_, err := f.WriteString(secret.Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("the secret cannot be kept: %w", err)
	}
	return nil
}

// discard removes the file.
func (f *secretFile) discard() error {
	if f == nil {
		return nil
	}
	f.Close()
	return os.Remove(f.Name())
}

func (e *endpointFlags) tellCreated(created aspect.Created) error {
	line := lineOf(created.Endpoint)
	sentence := "created " + endpointWords(created.Endpoint)
	if e.showSecret {
		line.Secret = orNull(created.Secret.Reveal())
		sentence += "\nits secret is " + created.Secret.Reveal()
	} else {
		line.SecretFile = &e.secretOut
		sentence += "\nits secret is in " + e.secretOut
	}
	return e.tell(line, sentence)
}
