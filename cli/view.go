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
		Short: "Show the journal of another process, or an old one",
		Long: `view shows the same as watch, from the journal alone: live while a watch is
writing it, or later. It is read-only, and any number of views can run at once.
It cannot show what is not in the journal, such as rejected requests.`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) }
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&v.journal, "journal", "", "journal file (default: the one that watch writes)")
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
	h, err := settings.HomeOf(v.journal)
	if err != nil {
		return err
	}
	reader, err := h.Reader()
	if err != nil {
		return err
	}
	s := session.View(session.Options{Output: v.Output, Filter: filter, Try: "aspectop watch"}, h, reader, client)
	defer s.Close()
	if _, alive, err := h.Writer(); err == nil && !alive {
		s.Remark("no process is writing this journal, so nothing new will appear")
	} else {
		s.Remark("rejected requests are not in the journal, so they are not shown")
	}
	if err := s.ServeSSH(v.SSHFlags); err != nil {
		return err
	}
	return s.Show(ctx)
}
