package cli

import (
	"context"
	"time"

	"aspectop/cli/session"
	"aspectop/cli/settings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

type viewFlags struct {
	session.Output
	session.Sharing
	session.PictureFlags
	journal string
}

func newView() *cobra.Command {
	var v viewFlags
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Show the journal of another process, or an old one",
		Long: `view shows the same as watch, from the journal alone: live while a watch is
writing it, or later. It is read-only, and any number of views can run at once.
Of rejected requests it shows those that the journal keeps.

With --picture it draws one frame as SVG and needs no terminal: as of now, or, if
no process writes the journal, as of its newest arrival.`,
		Example: `  aspectop view --journal /backup/journal.db --filter state:failed
  aspectop view --picture board.svg --size 132x34 --view board --theme light`,
		Args: noArguments,
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context(), cmd.Flags()) }
	f := cmd.Flags()
	settings.JournalVar(f, &v.journal, "journal file (default: the one that watch writes)")
	v.PictureFlags.Flags(f)
	v.Sharing.Flags(f)
	v.Output.Flags(f)
	return cmd
}

func (v *viewFlags) run(ctx context.Context, flags *pflag.FlagSet) error {
	filter, err := v.Output.Check()
	if err != nil {
		return err
	}
	frame, err := v.PictureFlags.Check(flags)
	if err != nil {
		return err
	}
	client, err := newClient(nil)
	if err != nil {
		return err
	}
	h, err := settings.LocationOf(v.journal)
	if err != nil {
		return err
	}
	now := time.Now
	if frame != nil {
		at, err := session.Moment(ctx, h)
		if err != nil {
			return err
		}
		now = func() time.Time { return at }
	}
	store, err := session.ViewStore(h, now)
	if err != nil {
		return err
	}
	defer store.Close()
	s := session.New(session.Options{Output: v.Output, Filter: filter, Try: "aspectop watch"}, store)
	defer s.Close()
	s.Ask(client)
	if frame != nil {
		return s.Picture(ctx, v.PictureFlags, frame)
	}
	if _, alive, err := h.Writer(); err == nil && !alive {
		s.Remark("no process is writing this journal, so nothing new will appear")
	}
	if err := s.Share(v.Sharing); err != nil {
		return err
	}
	return s.View(ctx)
}
