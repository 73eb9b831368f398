package cli

import (
	"context"

	"github.com/spf13/cobra"

	"aspectop/model"
)

// viewFlags are the flags of view.
type viewFlags struct {
	output
	sshFlags
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
	v.sshFlags.flags(f)
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
	h, reader, err := openReader(v.journal)
	if err != nil {
		return err
	}
	s := newSession(v.output, filter)
	s.home, s.place, s.reader, s.try = h, h.String(), reader, "aspectop watch"
	s.client = client
	s.status, s.viewing = nil, model.NewStatusLog(statusEntries) // what is not in the journal cannot be shown
	close(s.ready)                                               // there is nothing to wait for
	defer s.close()
	s.remarks = []string{"refused requests are in no journal, so they are not shown"}
	if _, alive, err := h.writer(); err == nil && !alive {
		s.remarks = []string{"no process writes this journal now, so nothing new comes"}
	}
	if err := s.serveSSH(v.sshFlags); err != nil {
		return err
	}
	return s.show(ctx)
}
