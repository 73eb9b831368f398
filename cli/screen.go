package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"aspectop/journal"
	"aspectop/ui"
)

// screen draws the screen until the user quits or ctx ends.
func (s *session) screen(ctx context.Context) error {
	feed, err := journal.OpenReader(s.place)
	if err != nil {
		return setupError(err)
	}
	defer feed.Close()
	feed.OmitHeader()
	names := make([]string, len(s.secrets))
	for i, secret := range s.secrets {
		names[i] = secret.Name
	}
	theme := s.output.theme
	options := ui.ProgramOptions()
	if os.Getenv("NO_COLOR") != "" {
		// Bubble Tea reads NO_COLOR as a boolean; by the convention any value
		// counts.
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
		theme = "mono"
	}
	o := ui.Options{
		Journal: s.reader, Feed: feed, Receiver: s.url(), Secrets: names,
		JournalPath: s.place, Try: s.try, Remarks: s.remarks,
		Theme: theme, ASCII: s.output.ascii, ReducedMotion: s.output.reducedMotion,
		Filter: s.filter, Since: s.output.since.at, CanSuspend: canSuspend,
		Export: exportTask,
	}
	if s.status != nil { // a nil log in an interface would pass for one
		o.Status = s.status
	}
	m := ui.New(ctx, o)
	p := tea.NewProgram(m, append(options, tea.WithoutSignalHandler())...)
	defer startGuard()()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			p.Quit()
		case <-ended:
		}
	}()
	_, err = p.Run()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	fmt.Print(m.Summary())
	return err
}
