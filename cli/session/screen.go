package session

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"aspectop/cli/terminal"
	"aspectop/ui"
)

// screen draws the screen until the user quits or ctx ends.
func (s *Session) screen(ctx context.Context) error {
	feed, err := s.OpenReader()
	if err != nil {
		return err
	}
	feed.OmitHeader()
	theme := s.output.theme
	options := ui.ProgramOptions()
	if os.Getenv("NO_COLOR") != "" {
		// Bubble Tea reads NO_COLOR as a boolean; by the convention any value
		// counts.
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
		theme = "mono"
	}
	o := s.options()
	o.Feed, o.Theme = feed, theme
	m := ui.New(ctx, o)
	p := tea.NewProgram(m, append(options, tea.WithoutSignalHandler())...)
	defer terminal.StartGuard()()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ctx.Done():
			p.Quit()
		case <-ended:
		}
	}()
	restore := terminal.Keep()
	_, err = p.Run()
	restore()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	fmt.Print(m.Summary())
	return err
}

// options are what the screen is given.
func (s *Session) options() ui.Options {
	o := ui.Options{
		Journal: s.reader, Receiver: s.URL(), JournalPath: s.place, Try: s.try, Remarks: s.remarks,
		ASCII: s.output.ascii, ReducedMotion: s.output.reducedMotion,
		Filter: s.filter, Since: s.output.since.At, CanSuspend: terminal.CanSuspend, Notify: s.notify,
		Resumed: s.gap, Sources: s.sourceStates, Export: exportTask,
	}
	s.mu.Lock()
	for _, secret := range s.secrets {
		o.Secrets = append(o.Secrets, secret.Name)
	}
	s.mu.Unlock()
	// A nil pointer in an interface would pass for something.
	if s.status != nil {
		o.Status = s.status
	}
	if s.client != nil {
		o.API = sent{s.client}
	}
	if s.names != nil {
		o.Names = s.names
	}
	if s.ssh != nil {
		o.Viewers = s.ssh.server.Viewers
	}
	if s.reach != nil {
		o.Endpoint = s.reach.state
	}
	if len(s.handlers.forwarders) > 0 {
		o.Queues, o.Retry = s.handlers.queues, s.handlers.retry
		o.Replay, o.ReplayTo, o.Editor = s.replay, s.handlers.forwarders[0].To(), editor
	}
	return o
}
