package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"aspectop/cli/exit"
	"aspectop/cli/terminal"
	"aspectop/feed"
	"aspectop/ui"
	"aspectop/ui/screen"
)

// screen draws the screen until the user quits or ctx ends.
func (s *Session) screen(ctx context.Context) error {
	theme := s.output.theme
	options := ui.ProgramOptions()
	if os.Getenv("NO_COLOR") != "" {
		// Bubble Tea parses NO_COLOR as a boolean, but by convention any value counts.
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
		theme = "mono"
	}
	o := s.options()
	o.Theme = theme
	m := ui.New(ctx, o)
	p := tea.NewProgram(s.recorded(m), append(options, tea.WithoutSignalHandler())...)
	s.program.Store(p)
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
	_, err := p.Run()
	restore()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	fmt.Print(m.Summary(), s.endRecording())
	if ctx.Err() == nil { // a key has ended it
		if left := s.handlers.left(); left != "" {
			fmt.Fprintln(os.Stderr, "aspectop: "+left)
		}
		exit.Interrupt()
	}
	return err
}

// fold starts the feed of all screens, here and over SSH. The returned function
// stops it.
func (s *Session) fold(ctx context.Context, now func() time.Time) (stop func(), err error) {
	folded, err := s.OpenReader()
	if err != nil {
		return nil, err
	}
	folded.OmitHeader()
	if s.rows, err = s.OpenReader(); err != nil {
		return nil, err
	}
	s.feed = feed.New(feed.Options{Journal: folded, Rows: s.rows, Status: s.told(), Now: now})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		s.feed.Run(ctx)
		close(ended)
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}

// options are the options of a screen.
func (s *Session) options() screen.Options {
	o := screen.Options{
		Feed: s.feed, Journal: s.rows, Receiver: s.URL(), JournalPath: s.place, Try: s.try, Remarks: s.remarks,
		ASCII: s.output.ascii, ReducedMotion: s.output.reducedMotion,
		Conceal: s.token(), Filter: s.filter, Since: s.output.since.At, CanSuspend: terminal.CanSuspend, Notify: s.notify,
		Resumed: s.gap, Sources: s.sourceStates, Failing: s.failing, Export: exportTask, Picture: savePicture,
	}
	for _, secret := range s.knownSecrets() {
		o.Secrets = append(o.Secrets, secret.Name)
	}
	// An interface that contains a nil pointer is not nil.
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
