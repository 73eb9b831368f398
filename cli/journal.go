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
	"aspectop/journal"
	"aspectop/journal/sqlite"
	"aspectop/words"
)

func newJournal() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Set up, copy and check journals",
		Long: `journal manages journals: SQLite files, and PostgreSQL databases that several
receivers share (postgres://user@host/database, with the password in PGPASSWORD
or ~/.pgpass).`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newJournalMigrate(), newJournalCopy(), newJournalCheck(), newJournalSalvage())
	return cmd
}

func newJournalMigrate() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate [JOURNAL]",
		Short: "Create or complete the schema of a journal in a database",
		Long: `migrate creates the schema "aspectop" in a PostgreSQL database, for setups where
the role that watch uses may not do that, and adds what an earlier version of
aspectop left out. Earlier versions can still read and write it.`,
		Example: `  aspectop journal migrate postgres://admin@db.example.com/aspectop`,
		Args:    atMostOne(""),
		RunE: func(cmd *cobra.Command, args []string) error {
			h, err := locationOfArgument(args)
			if err != nil {
				return err
			}
			if err := h.Migrate(cmd.Context()); err != nil {
				return err
			}
			h.TellRemarks()
			return writeSentence("the journal " + h.String() + " is ready")
		},
	}
}

func newJournalCopy() *cobra.Command {
	return &cobra.Command{
		Use:   "copy FROM TO",
		Short: "Copy a journal to another file or database",
		Long: `copy copies all deliveries, duplicates included, with their numbers and forwarding
results, to an empty journal. After an interruption, run it again to continue. Nothing else
may write to the target in the meantime.

Of a damaged file it copies what can be read, and lists the rest.

Exit codes: 0 everything was copied, 1 something could not be read.`,
		Example: `  aspectop journal copy ~/.local/state/aspectop/journal.db postgres://aspectop@db/aspectop
  aspectop journal copy damaged.db saved.db`,
		Args: arguments(2, 2, "two journals are required: aspectop journal copy FROM TO"),
		RunE: func(cmd *cobra.Command, args []string) error { return copyJournal(cmd.Context(), args[0], args[1]) },
	}
}

const progressEvery = time.Second

func copyJournal(ctx context.Context, from, to string) error {
	for _, text := range []*string{&from, &to} {
		path, err := settings.JournalArgument(*text)
		if err != nil {
			return err
		}
		*text = path
	}
	_, source, err := settings.OpenReader(from)
	if errors.Is(err, fs.ErrNotExist) {
		return exit.Setup(fmt.Errorf("there is no journal at %s", from))
	} else if err != nil {
		return err
	}
	defer source.Close()
	h, err := settings.LocationOf(to)
	if err != nil {
		return err
	}
	if h.InMemory() {
		return exit.Usage("the target must be a file or a database, not memory")
	}
	target, err := h.Open(ctx, journal.Options{})
	if err != nil {
		return err
	}
	h.TellRemarks()
	reported, done := time.Now(), int64(0)
	err = journal.Copy(ctx, source, target, func(n, last int64) {
		done = n
		if now := time.Now(); now.Sub(reported) >= progressEvery {
			reported = now
			fmt.Fprintf(os.Stderr, "aspectop: copied up to delivery %d of %d\n", n, last)
		}
	})
	err = errors.Join(err, target.Close())
	text, damaged := "", false
	if file, ok := source.(*sqlite.Reader); ok {
		for _, part := range file.Unreadable() {
			text, damaged = text+"could not be read: "+part+"\n", true
		}
	}
	if err := writeSentence(fmt.Sprintf("%scopied up to delivery %d to %s", text, done, h)); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return exit.With(exit.Interrupted, fmt.Errorf("interrupted after delivery %d; run the same command to continue", done))
	case err == nil && damaged:
		return fmt.Errorf("the journal %s is damaged: only what could be read was copied", from)
	}
	return err
}

func newJournalCheck() *cobra.Command {
	var flag string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check a journal for damage",
		Long: `check reads a whole journal and reports damage: what SQLite's integrity_check finds,
numbers that cannot be read, and missing ones. It is read-only, and a watch may be
writing the journal.

Exit codes: 0 the journal is fine, 1 it is damaged, 3 nothing can be read or the file
is no journal.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return checkJournal(cmd.Context(), flag) },
	}
	settings.JournalVar(cmd.Flags(), &flag, "journal `file` (default: the one that watch writes)")
	return cmd
}

func checkJournal(ctx context.Context, flag string) error {
	h, err := settings.LocationOf(flag)
	if err != nil {
		return err
	}
	if h.File() == "" {
		return exit.Usage("only journals in files can be checked; PostgreSQL has pg_amcheck and its own backups")
	}
	found, err := sqlite.Check(ctx, h.File())
	if ctx.Err() != nil {
		return exit.With(exit.Interrupted, errors.New("interrupted before the end of the journal"))
	} else if err != nil {
		return exit.Setup(err)
	}
	if len(found.Damage) == 0 {
		return writeSentence(fmt.Sprintf("the journal %s is fine: %s%s", found.Path, contents(found), numbers(found.First, found.Last)))
	}
	var text strings.Builder
	for _, damage := range found.Damage {
		text.WriteString("damaged: " + damage + "\n")
	}
	fmt.Fprintf(&text, "%s can be read%s\n", contents(found), numbers(found.First, found.Last))
	text.WriteString("to do: stop the watch that writes it, if there is one; copy what can be read with\n" +
		"  aspectop journal copy " + found.Path + " NEW\nthen move the damaged file and its -wal out of the way, and put NEW in its place")
	if err := writeSentence(text.String()); err != nil {
		return err
	}
	return exit.With(exit.Failed, errors.New("the journal "+found.Path+" is damaged"))
}

// contents counts the deliveries that were found.
func contents(c *sqlite.Checked) string {
	return words.Count(int(c.Deliveries+c.Repeats), "delivery", "deliveries") + fmt.Sprintf(" (%d of them %s)", c.Repeats, words.Plural(int(c.Repeats), "a duplicate", "duplicates"))
}

func numbers(first, last int64) string {
	if last == 0 {
		return ""
	}
	return fmt.Sprintf(", numbers %d to %d", first, last)
}

// newJournalSalvage refuses the command of earlier versions.
func newJournalSalvage() *cobra.Command {
	return &cobra.Command{
		Use:                "salvage",
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return exit.Usage("journal salvage is now part of journal copy: aspectop journal copy DAMAGED NEW copies what can be read")
		},
	}
}

// locationOfArgument is the journal given by the first argument, or else by
// ASPECTOP_JOURNAL.
func locationOfArgument(args []string) (settings.Location, error) {
	var (
		path = os.Getenv(settings.VariableOf(settings.JournalFlag)) // which may contain a password
		err  error
	)
	if len(args) > 0 {
		path, err = settings.JournalArgument(args[0])
	} else if !strings.Contains(path, "://") {
		path, err = settings.ExpandPath(path)
	}
	if err != nil {
		return settings.Location{}, exit.Usage("%w", err)
	}
	return settings.LocationOf(path)
}
