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
	"aspectop/cli/session"
	"aspectop/cli/settings"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/printer"
	"aspectop/printer/report"
	"aspectop/receiver"
	"aspectop/words"
)

type exportFlags struct {
	format, lang string
	filter       string
	since        settings.Moment
	to           string
	privacy      printer.Privacy
	title        string
	json         bool
	journal      string
}

// htmlFormat is a report about tasks, not one of the formats for deliveries.
const htmlFormat = "html"

// exportFormats are the values of --format, the default first.
func exportFormats() []string {
	var names []string
	for _, f := range printer.ExportFormats {
		names = append(names, f.Name)
	}
	return append(names, htmlFormat)
}

func newExport() *cobra.Command {
	var e exportFlags
	formats := ""
	for _, f := range printer.ExportFormats {
		formats += fmt.Sprintf("  %-8s %s\n", f.Name, f.Help)
	}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write stored deliveries, or a report about them, to stdout",
		Long: "export writes the deliveries in a journal to stdout:\n\n" + formats + `
or, with html, a report about their tasks: one self-contained page with figures,
statistics, timelines and events.

Values of headers such as Authorization and Cookie are redacted.`,
		Example: `  aspectop export --since 1h --filter state:failed > failed.ndjson
  aspectop export --format fixture --lang node --filter task:2e1c > handler.test.mjs
  aspectop export --format html --since 1d --redact > report.html`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	f.StringVar(&e.format, "format", exportFormats()[0], "output `format`: "+strings.Join(exportFormats(), ", "))
	f.StringVar(&e.lang, "lang", printer.Languages()[0], "`language` of a fixture: "+strings.Join(printer.Languages(), ", "))
	f.StringVar(&e.filter, "filter", "", "only deliveries (of a report: tasks) that match this `filter`, such as \"state:failed\""+session.FilterTerms)
	f.Var(&e.since, "since", "only deliveries received since this `time`, such as 2h, 12:00, 2026-01-02 or 2026-01-02T15:04:05Z")
	f.StringVar(&e.to, "to", "http://"+defaultListen+receiver.DefaultPath, "`URL` in curl commands and in a HAR")
	f.BoolVar(&e.privacy.WithCredentials, "with-credentials", false, "do not redact credentials in headers")
	f.BoolVar(&e.privacy.MaskUsers, "redact", false, "mask user ids, which invalidates the signatures; in a report also URLs")
	f.StringVar(&e.title, "title", "", "`text` at the top of a report")
	settings.JournalVar(f, &e.journal, "journal `file` (default: the one that watch writes)")
	f.BoolVar(&e.json, "json", false, "the same as --format ndjson")
	return cmd
}

func (e *exportFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	if err := e.check(flags); err != nil {
		return err
	}
	filter, _, err := settings.ParseFilter(e.filter)
	if err != nil {
		return err
	}
	_, reader, err := settings.OpenReader(e.journal)
	if err != nil {
		return err
	}
	defer reader.Close()
	if e.format == htmlFormat {
		return e.report(ctx, reader, filter)
	}
	rejected, err := reader.Rejections(ctx, journal.RejectionsKept)
	if err != nil {
		return err
	}
	count, err := printer.Export(ctx, printer.ExportOptions{
		Rejected: rejected,
		Format:   e.format, Language: e.lang, Out: os.Stdout, Journal: reader, Filter: filter, Since: e.since.At,
		To: e.to, Version: readBuild().version, Privacy: e.privacy,
	})
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	if count.Written+count.Rejected == 0 {
		fmt.Fprintln(os.Stderr, "aspectop: no matching deliveries")
	}
	if e.format == "curl" && count.Expired > 0 {
		fmt.Fprintf(os.Stderr, "aspectop: %s older than five minutes, so handlers will refuse them; aspectop replay re-signs\n", words.Count(int(count.Expired), "signature is", "signatures are"))
	}
	if count.Skipped > 0 {
		fmt.Fprintf(os.Stderr, "aspectop: skipped %d that are not requests (from the API or the event stream, or duplicates)\n", count.Skipped)
	}
	return nil
}

func (e *exportFlags) report(ctx context.Context, reader journal.Reader, filter *model.Filter) error {
	reader.OmitHeader() // the report does not show headers
	tasks, err := report.Write(ctx, os.Stdout, reader, report.PageOptions{
		Options:    report.Options{Now: time.Now(), Filter: filter, Since: e.since.At, Private: e.privacy.MaskUsers},
		FilterText: e.filter, Version: readBuild().version, Title: session.Title(e.title),
	})
	if err != nil {
		return unlessInterrupted(ctx, err)
	}
	if tasks == 0 {
		fmt.Fprintln(os.Stderr, "aspectop: no matching tasks")
	}
	return nil
}

// unlessInterrupted is err, unless the user interrupted the command.
func unlessInterrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return exit.With(exit.Interrupted, errors.New("interrupted; the output is incomplete"))
	}
	return err
}

func (e *exportFlags) check(flags *pflag.FlagSet) error {
	if e.json && e.format != "ndjson" && !settings.Overrides(flags, "json", "format") {
		return exit.Usage("--json and --format %s cannot be used together", e.format)
	}
	switch formats, langs := exportFormats(), printer.Languages(); {
	case !slices.Contains(formats, e.format):
		return exit.Usage("unknown --format %q: must be one of %s", e.format, strings.Join(formats, ", "))
	case !slices.Contains(langs, e.lang):
		return exit.Usage("unknown --lang %q: must be %s", e.lang, strings.Join(langs, " or "))
	case flags.Changed("lang") && e.format != "fixture" && !settings.Waits(flags, "lang"):
		return exit.Usage("--lang is for --format fixture")
	case e.title != "" && e.format != htmlFormat && !settings.Waits(flags, "title"):
		return exit.Usage("--title is for --format html")
	case e.format == htmlFormat && (flags.Changed("to") || e.privacy.WithCredentials) && !settings.Waits(flags, "to", "with-credentials"):
		return exit.Usage("--to and --with-credentials have no effect on a report")
	}
	return nil
}
