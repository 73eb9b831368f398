package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
)

// accountFlags are shared by the commands that ask Aspect's API.
type accountFlags struct {
	json    bool
	timeout span
}

func (a *accountFlags) flags(f *pflag.FlagSet) {
	f.Var(&a.timeout, "timeout", "give up after this time, such as 10s (default: after four tries)")
	f.BoolVar(&a.json, "json", false, "print one JSON object a line")
}

// ask calls f with a client of the API, and turns the end of the time, or of the
// user's patience, into exit codes.
func (a *accountFlags) ask(ctx context.Context, f func(context.Context, *aspect.Client) error) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	if client == nil {
		return usageError("%s is not set: make an API key in Aspect's settings, and set %s to it", keyVariable, keyVariable)
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
		return &exitError{exitTimeout, fmt.Errorf("time-out after %s: %w", a.timeout.String(), err)}
	}
	return &exitError{exitInterrupted, fmt.Errorf("interrupted: %w", err)}
}

// show prints what a command has to tell: a line each for programs, a table for
// people, none if there is nothing.
func (a *accountFlags) show(lines []any, t table, none string) error {
	switch {
	case a.json:
		return writeLines(lines...)
	case len(t.rows) == 0:
		fmt.Fprintln(os.Stderr, "aspectop: "+none)
		return nil
	}
	return t.write(os.Stdout, outputWidth())
}

// atLeastOne refuses a --limit that asks for nothing.
func atLeastOne(limit int) error {
	if limit < 1 {
		return usageError("--limit %d: ask for one at least", limit)
	}
	return nil
}

// errNoID is what a command says of an empty argument where an id should stand.
var errNoID = &exitError{exitUsage, errors.New("an empty text is no id; is a variable not set?")}
