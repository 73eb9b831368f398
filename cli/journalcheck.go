package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/journal/sqlite"
)

func newJournalCheck() *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a journal for damage",
		Long: `check reads a whole journal and reports damage: what SQLite's integrity_check finds,
numbers that cannot be read, and missing ones. It is read-only, and a watch may be
writing the journal.

Exit codes: 0 the journal is fine, 1 it is damaged.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return checkJournal(cmd.Context(), flag) },
	}
	cmd.Flags().StringVar(&flag, "journal", "", "journal `file` (default: the one that watch writes)")
	return cmd
}

// fileOf is the path of the journal that --journal names, which has to be a file.
func fileOf(flag string) (string, error) {
	h, err := settings.LocationOf(flag)
	if err != nil {
		return "", err
	}
	if h.File() == "" {
		return "", exit.Usage("only journals in files can be checked; PostgreSQL has pg_amcheck and its own backups")
	}
	return h.File(), nil
}

func checkJournal(ctx context.Context, flag string) error {
	path, err := fileOf(flag)
	if err != nil {
		return err
	}
	found, err := sqlite.Check(ctx, path)
	if ctx.Err() != nil {
		return exit.With(exit.Interrupted, errors.New("interrupted before the end of the journal"))
	} else if err != nil {
		return exit.Setup(err)
	}
	if len(found.Damage) == 0 {
		return writeSentence(fmt.Sprintf("the journal %s is fine: %d deliveries and %d repeats%s", found.Path, found.Deliveries, found.Repeats, numbers(found.First, found.Last)))
	}
	var text strings.Builder
	for _, damage := range found.Damage {
		text.WriteString("damaged: " + damage + "\n")
	}
	fmt.Fprintf(&text, "%d deliveries and %d repeats can be read%s\n", found.Deliveries, found.Repeats, numbers(found.First, found.Last))
	text.WriteString("to do: end the watch if one writes it; copy what can be read with\n" +
		"  aspectop journal copy " + found.Path + " NEW\nthen move the damaged file and its -wal away, and NEW to its place")
	if err := writeSentence(text.String()); err != nil {
		return err
	}
	return exit.With(exit.Failed, errors.New("the journal "+found.Path+" is damaged"))
}

// numbers says which numbers there are.
func numbers(first, last int64) string {
	if last == 0 {
		return ""
	}
	return fmt.Sprintf(", numbers %d to %d", first, last)
}
