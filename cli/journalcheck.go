package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

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
		Long: `check reads a whole journal and reports damage: broken pages, unreadable rows and
missing numbers. It is read-only, and a watch may be writing the journal.

Exit codes: 0 the journal is fine, 1 it is damaged.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return checkJournal(cmd.Context(), flag) },
	}
	cmd.Flags().StringVar(&flag, "journal", "", "journal `file` (default: the one that watch writes)")
	return cmd
}

func newJournalSalvage() *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use:   "salvage OUT",
		Short: "Copy the readable part of a damaged journal to a new file",
		Long: `salvage copies every readable delivery, with its number, to a new journal and
reports how many were unreadable. It reads page by page, including what SQLite no
longer finds, and the newest deliveries in a damaged write-ahead log. It does not
change the damaged journal, never overwrites OUT, and creates OUT only when it is
complete. Stop the watch on the journal first.`,
		Example: `  aspectop journal salvage ~/saved.db`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.Usage("name one new file: aspectop journal salvage OUT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return salvageJournal(cmd.Context(), flag, args[0]) },
	}
	cmd.Flags().StringVar(&flag, "journal", "", "damaged journal `file` (default: the one that watch writes)")
	return cmd
}

// fileOf is the path of the journal that --journal names, which has to be a file.
func fileOf(flag string) (string, error) {
	h, err := settings.HomeOf(flag)
	if err != nil {
		return "", err
	}
	if h.File() == "" {
		return "", exit.Usage("only journals in files can be checked and salvaged; PostgreSQL has pg_amcheck and its own backups")
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
	text.WriteString("to do: end the watch if one writes it; save what can be read with\n" +
		"  aspectop journal salvage NEW --journal " + found.Path + "\nthen move the damaged file away and NEW to its place")
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

func salvageJournal(ctx context.Context, flag, out string) error {
	path, err := fileOf(flag)
	if err != nil {
		return err
	}
	told := time.Now()
	saved, err := sqlite.Salvage(ctx, path, out, func(done, last int64) {
		if now := time.Now(); now.Sub(told) >= progressEvery {
			told = now
			fmt.Fprintf(os.Stderr, "aspectop: salvaged up to delivery %d of %d\n", done, last)
		}
	})
	switch {
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, errors.New("interrupted; nothing was left at "+out))
	case errors.Is(err, fs.ErrExist):
		return exit.With(exit.Failed, fmt.Errorf("%s already exists: name a new file (%w)", out, err))
	case errors.As(err, new(*sqlite.LockedError)):
		return exit.Setup(fmt.Errorf("%w; end that process before salvaging", err))
	case errors.Is(err, fs.ErrNotExist):
		return exit.Setup(err)
	case err != nil:
		return fmt.Errorf("nothing was saved: %w", err)
	}
	text := fmt.Sprintf("saved %d deliveries and %d repeats to %s", saved.Deliveries, saved.Repeats, out)
	if saved.Outcomes > 0 {
		text += fmt.Sprintf(", and what became of %d at your handlers", saved.Outcomes)
	}
	lost := int64(0)
	for _, s := range saved.Lost {
		lost += s.Last - s.First + 1
	}
	switch {
	case saved.Damaged == 0 && lost == 0:
		text += "; nothing was damaged"
	case lost == 0 && saved.Unsure == 0:
		text += "; nothing that is known of is missing"
	default:
		text += fmt.Sprintf("; %d could not be read", lost)
		if saved.Unsure > 0 && saved.Damaged > 0 {
			text += fmt.Sprintf(", and up to %d more, unless --retain removed them", saved.Unsure)
		}
	}
	if saved.Damaged > 0 {
		text += fmt.Sprintf("; damaged pages: %d", saved.Damaged)
	}
	for i, s := range saved.Lost {
		if i == maxListed {
			text += fmt.Sprintf("\n  missing: %d more places", len(saved.Lost)-i)
			break
		}
		text += "\n  missing: " + s.String()
	}
	return writeSentence(text)
}

// maxListed is how many places are listed at most.
const maxListed = 20
