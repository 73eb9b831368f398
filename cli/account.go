package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
)

// accountFlags are shared by the commands that call Aspect's API.
type accountFlags struct {
	json    bool
	timeout settings.Span
}

func (a *accountFlags) flags(f *pflag.FlagSet) {
	f.Var(&a.timeout, "timeout", "give up after this time, such as 10s (default: after four attempts)")
	f.BoolVar(&a.json, "json", false, "print one JSON object per line")
}

// ask calls f with a client of the API, and turns a timeout or an interrupt into
// the right exit code.
func (a *accountFlags) ask(ctx context.Context, f func(context.Context, *aspect.Client) error) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	if client == nil {
		return exit.Usage("%s is not set: create an API key in Aspect's settings and put it into %s", settings.KeyVariable, settings.KeyVariable)
	}
	if a.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(a.timeout), errTimeout)
		defer cancel()
	}
	err = f(ctx, client)
	switch {
	case err == nil || ctx.Err() == nil:
		return err
	case context.Cause(ctx) == errTimeout:
		return exit.With(exit.TimedOut, fmt.Errorf("timed out after %s: %w", a.timeout.String(), err))
	}
	return exit.With(exit.Interrupted, fmt.Errorf("interrupted: %w", err))
}

// show prints a list: as JSON lines or as a table; none is the message if it is
// empty.
func (a *accountFlags) show(lines []any, t terminal.Table, none string) error {
	switch {
	case a.json:
		return writeLines(lines...)
	case t.Empty():
		fmt.Fprintln(os.Stderr, "aspectop: "+none)
		return nil
	}
	return t.Write(os.Stdout, terminal.Width())
}

// newClient returns a client of Aspect's API, nil if there is no key.
func newClient() (*aspect.Client, error) { return newClientOver(nil) }

// newClientOver is newClient with a transport; nil is the default one.
func newClientOver(t http.RoundTripper) (*aspect.Client, error) {
	key := settings.APIKey()
	if key.Empty() {
		return nil, nil
	}
	config := aspect.Config{BaseURL: os.Getenv(settings.URLVariable), Key: key, UserAgent: "aspectop/" + version()}
	if t != nil {
		config.HTTP = &http.Client{Transport: t}
	}
	c, err := aspect.New(config)
	if err != nil {
		return nil, exit.Usage("%w", err)
	}
	return c, nil
}

// atLeastOne checks --limit.
func atLeastOne(limit int) error {
	if limit < 1 {
		return exit.Usage("--limit %d: must be at least 1", limit)
	}
	return nil
}

// errNoID is the error about an empty argument instead of an id.
var errNoID = exit.With(exit.Misused, errors.New("the id is empty; is a shell variable unset?"))
