package cli

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/cli/terminal"
	"aspectop/jsonl"
	"aspectop/printer"
)

func newLine(kind string) *jsonl.Object {
	o := new(jsonl.Object)
	o.Start(kind, time.Now())
	return o
}

// putValue writes a member as encoding/json does, null if it is not valid.
func putValue(o *jsonl.Object, key string, v any) {
	text, err := jsonl.Line(v)
	if err != nil {
		text = []byte("null")
	}
	o.Key(key)
	*o = append(*o, bytes.TrimSpace(text)...)
}

// printResult prints one result to stdout: as JSON, or as one or more lines of text.
func printResult(asJSON bool, o *jsonl.Object, text string) error {
	if !asJSON {
		return writeSentence(text)
	}
	o.End('}')
	return printer.WriteAll(os.Stdout, append(*o, '\n'))
}

func writeSentence(text string) error {
	return printer.WriteAll(os.Stdout, []byte(clean.Lines(text)+"\n"))
}

func formatOf(asJSON bool) printer.Format {
	if asJSON {
		return printer.JSON
	}
	return printer.Plain
}

// list is the output of a command that lists things: a table, or JSON lines.
type list struct {
	terminal.Table
	lines []byte
}

func newList(head ...string) *list { return &list{Table: terminal.Table{Head: head}} }

func (l *list) add(o *jsonl.Object, cells ...string) {
	o.End('}')
	l.lines = append(append(l.lines, *o...), '\n')
	l.Add(cells...)
}

// show prints the list, or on stderr that there is none.
func (l *list) show(asJSON bool, none string) error {
	switch {
	case asJSON:
		return printer.WriteAll(os.Stdout, l.lines)
	case l.Empty():
		fmt.Fprintln(os.Stderr, "aspectop: "+none)
		return nil
	}
	return l.Write(os.Stdout, terminal.Width())
}

type accountFlags struct {
	json    bool
	timeout settings.Duration
}

// calls adds the flags to cmd and makes it call f with a client of the API. A
// timeout or an interrupt gets its exit code.
func (a *accountFlags) calls(cmd *cobra.Command, f func(ctx context.Context, c *aspect.Client, args []string) error) *cobra.Command {
	cmd.Flags().Var(&a.timeout, "timeout", "give up after this time, such as 10s (default: after four attempts)")
	cmd.Flags().BoolVar(&a.json, "json", false, "print one JSON object per line")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		client, err := newClient(nil)
		if err != nil {
			return err
		}
		if client == nil {
			return exit.Usage("%s is not set: create an API key in Aspect's settings and put it into %[1]s", settings.KeyVariable)
		}
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), cmp.Or(time.Duration(a.timeout), forever), errTimeout)
		defer cancel()
		err = f(ctx, client, args)
		switch {
		case err == nil || ctx.Err() == nil:
			return err
		case context.Cause(ctx) == errTimeout:
			return exit.With(exit.TimedOut, fmt.Errorf("timed out after %s: %w", a.timeout.String(), err))
		}
		return exit.With(exit.Interrupted, fmt.Errorf("interrupted: %w", err))
	}
	return cmd
}

// newClient returns a client of Aspect's API, nil if there is no key. t is its
// transport, nil for the default.
func newClient(t http.RoundTripper) (*aspect.Client, error) {
	key := settings.APIKey()
	if key.Empty() {
		return nil, nil
	}
	config := aspect.Config{BaseURL: os.Getenv(settings.URLVariable), Key: key, UserAgent: "aspectop/" + readBuild().version}
	if t != nil {
		config.HTTP = &http.Client{Transport: t}
	}
	c, err := aspect.New(config)
	if err != nil {
		return nil, exit.Usage("%w", err)
	}
	return c, nil
}

func checkLimit(limit int) error {
	if limit < 1 {
		return exit.Usage("--limit %d: must be at least 1", limit)
	}
	return nil
}

var errNoID = exit.Usage("the id is empty; is a shell variable unset?")
