package cli

import (
	"context"

	"aspectop/cli/session"
	"aspectop/cli/settings"

	"github.com/spf13/cobra"
)

// viewFlags are the flags of view.
type viewFlags struct {
	session.Output
	session.SSHFlags
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
	v.SSHFlags.Flags(f)
	v.Output.Flags(f)
	return cmd
}

func (v *viewFlags) run(ctx context.Context) error {
	filter, err := v.Check()
	if err != nil {
		return err
	}
	client, err := newClient()
	if err != nil {
		return err
	}
	h, reader, err := settings.OpenReader(v.journal)
	if err != nil {
		return err
	}
	s := session.View(session.Options{Output: v.Output, Filter: filter, Try: "aspectop watch"}, h, reader, client)
	defer s.Close()
	if _, alive, err := h.Writer(); err == nil && !alive {
		s.Remark("no process writes this journal now, so nothing new comes")
	} else {
		s.Remark("refused requests are in no journal, so they are not shown")
	}
	if err := s.ServeSSH(v.SSHFlags); err != nil {
		return err
	}
	return s.Show(ctx)
}
