package cli

import (
	"context"

	"github.com/spf13/cobra"

	"aspectop/journal"
)

// viewFlags are the flags of view.
type viewFlags struct {
	output
	journal string
}

func newView() *cobra.Command {
	var v viewFlags
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Show a journal that another process writes, or an old one",
		Long: `view shows what watch shows, from the journal alone: live while a watch writes
it, and afterwards. It changes nothing, and any number of views may run at once.
What is not in the journal, such as refused requests, it cannot show.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&v.journal, "journal", "", "journal file (default: where watch keeps it)")
	v.output.flags(f)
	return cmd
}

func (v *viewFlags) run(ctx context.Context) error {
	filter, err := v.check()
	if err != nil {
		return err
	}
	client, err := newClient()
	if err != nil {
		return err
	}
	place, reader, err := openReader(v.journal)
	if err != nil {
		return err
	}
	s := newSession(v.output, filter)
	s.place, s.reader, s.try = place, reader, "aspectop watch"
	s.client = client
	s.status = nil // what is not in the journal cannot be shown
	close(s.ready) // there is nothing to wait for
	defer s.close()
	s.remarks = []string{"refused requests are in no journal, so they are not shown"}
	if _, alive, err := journal.Writer(place); err == nil && !alive {
		s.remarks = []string{"no process writes this journal now, so nothing new comes"}
	}
	return s.show(ctx)
}

// openReader opens the journal at the path, or where the user's state is kept,
// for reading, and tells where it is.
func openReader(path string) (place string, r *journal.Reader, err error) {
	if path == "memory" {
		return "", nil, usageError("--journal memory belongs to the process that writes it; name a file")
	}
	if path == "" {
		if path, err = journal.DefaultPath(); err != nil {
			return "", nil, setupError(err)
		}
	}
	if r, err = journal.OpenReader(path); err != nil {
		return "", nil, setupError(err)
	}
	return path, r, nil
}
