package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/printer/report"
	"aspectop/receiver"
)

// exportFlags are the flags of export.
type exportFlags struct {
	format, lang string
	filter       string
	since        settings.Moment
	to           string
	privacy      printer.Privacy
	json         bool
	journal      string
}

// The values of --format and --lang.
var (
	exportFormats = []string{"ndjson", "har", "curl", "fixture", "html"}
	exportLangs   = []string{"go", "node"}
)

func newExport() *cobra.Command {
	var e exportFlags
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write kept deliveries to stdout, or a report about them",
		Long: `export writes the deliveries that a journal holds to stdout:

  ndjson   one JSON object a line, with headers and raw body
  har      an HTTP Archive 1.2, for browsers' network tools and HTTP clients
  curl     a shell command a line that posts the delivery again, bytes unchanged
  fixture  a test of your webhook handler, ready to run, in Go or for Node

or, with html, a report about the tasks they tell of: one page with figures,
statistics, timelines and events that needs nothing from elsewhere.

Values of headers such as Authorization and Cookie are redacted.`,
		Example: `  aspectop export --since 1h --filter state:failed > failed.ndjson
  aspectop export --format fixture --lang node --filter task:2e1c > handler.test.mjs
  aspectop export --format html --since 1d --redact > report.html`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&e.format, "format", "ndjson", "`what` is written: "+strings.Join(exportFormats, ", "))
	f.StringVar(&e.lang, "lang", "go", "`language` of a fixture: "+strings.Join(exportLangs, ", "))
	f.StringVar(&e.filter, "filter", "", "only deliveries (of a report: tasks) that match this `filter`, such as \"state:failed\"")
	f.Var(&e.since, "since", "only what came since `then`, such as 2h or 2026-01-02T15:04:05Z")
	f.StringVar(&e.to, "to", "http://"+defaultListen+receiver.DefaultPath, "`URL` in curl commands and in a HAR")
	f.BoolVar(&e.privacy.WithCredentials, "with-credentials", false, "do not redact credentials in headers")
	f.BoolVar(&e.privacy.MaskUsers, "redact", false, "mask user ids, in a report URLs too; the signatures hold no more")
	f.StringVar(&e.journal, "journal", "", "journal `file` (default: where watch keeps it)")
	f.BoolVar(&e.json, "json", false, "the same as --format ndjson")
	return cmd
}

func (e *exportFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	format, err := e.check(flags)
	if err != nil {
		return err
	}
	filter, err := model.ParseFilter(e.filter)
	if err != nil {
		return exit.Usage("--filter: %w", err)
	}
	_, reader, err := settings.OpenReader(e.journal)
	if err != nil {
		return err
	}
	defer reader.Close()
	if e.format == htmlFormat {
		return e.report(ctx, reader, filter)
	}
	count, err := printer.Export(ctx, printer.ExportOptions{
		Format: format, Out: os.Stdout, Journal: reader, Filter: filter, Since: e.since.At,
		To: e.to, Version: version(), Privacy: e.privacy,
	})
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	if count.Written == 0 {
		fmt.Fprintln(os.Stderr, "aspectop: no delivery to write")
	}
	if count.Skipped > 0 {
		fmt.Fprintf(os.Stderr, "aspectop: left out %d that are no requests of their own (from the API or the event stream, or repeats)\n", count.Skipped)
	}
	return nil
}

// htmlFormat is a report rather than an export.
const htmlFormat = "html"

// report writes a page about the tasks.
func (e *exportFlags) report(ctx context.Context, reader journal.Reader, filter *model.Filter) error {
	reader.OmitHeader() // no page shows them
	tasks, err := report.Write(ctx, os.Stdout, reader, report.PageOptions{
		Options:    report.Options{Now: time.Now(), Filter: filter, Since: e.since.At, Redact: e.privacy.MaskUsers},
		FilterText: e.filter, Version: version(),
	})
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	if tasks == 0 {
		fmt.Fprintln(os.Stderr, "aspectop: no task to report on")
	}
	return nil
}

// unlessInterrupted is err, unless it is because the user ended the command.
func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return exit.With(exit.Interrupted, errors.New("interrupted; what was written is incomplete"))
	}
	return err
}

// check refuses what cannot be meant.
func (e *exportFlags) check(flags *pflag.FlagSet) (printer.ExportFormat, error) {
	switch {
	case !slices.Contains(exportFormats, e.format):
		return 0, exit.Usage("--format %q is not known; it is one of %s", e.format, strings.Join(exportFormats, ", "))
	case !slices.Contains(exportLangs, e.lang):
		return 0, exit.Usage("--lang %q is not known; it is %s", e.lang, strings.Join(exportLangs, " or "))
	case flags.Changed("lang") && e.format != "fixture":
		return 0, exit.Usage("--lang is for --format fixture")
	case e.format == htmlFormat && (flags.Changed("to") || e.privacy.WithCredentials):
		return 0, exit.Usage("a report has no place for what --to and --with-credentials tell")
	case e.json && e.format != "ndjson":
		return 0, exit.Usage("--json and --format %s exclude each other", e.format)
	case e.format == "fixture" && e.lang == "node":
		return printer.NodeFixture, nil
	}
	return map[string]printer.ExportFormat{
		"ndjson": printer.NDJSON, "har": printer.HAR, "curl": printer.CurlLines, "fixture": printer.GoFixture,
	}[e.format], nil
}
