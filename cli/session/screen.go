package session

import (
	"context"
	"errors"
	"fmt"
	"os"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"aspectop/cli/exit"
	"aspectop/cli/terminal"
	"aspectop/forward"
	"aspectop/model"
	"aspectop/tty"
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
	in := os.Stdin
	if !term.IsTerminal(in.Fd()) {
		var err error
		if in, _, err = tea.OpenTTY(); err != nil {
			return err
		}
	}
	t := tty.Open(in, os.Stdout)
	o := s.options()
	o.Theme, o.Exec = theme, t.Exec
	m := ui.New(ctx, o)
	p := tea.NewProgram(s.recorded(m), append(options,
		tea.WithoutSignalHandler(), tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithFilter(t.Filter))...)
	s.program.Store(p)
	defer terminal.StartGuard()()
	defer context.AfterFunc(ctx, p.Quit)()
	restore := terminal.Keep()
	_, err := p.Run()
	restore()
	if errors.Is(err, tea.ErrInterrupted) {
		err = nil
	}
	fmt.Print(m.Summary(), s.endRecording())
	if ctx.Err() == nil { // a key has ended it
		if left := s.left(); left != "" {
			fmt.Fprintln(os.Stderr, "aspectop: "+left)
		}
		exit.Interrupt()
	}
	return err
}

// options are the options of a screen.
func (s *Session) options() screen.Options {
	o := screen.Options{
		Feed: s.Feed, Journal: s.rows, Receiver: s.URL(), JournalPath: s.place, Try: s.try, Remarks: s.remarks,
		ASCII: s.output.ascii, ReducedMotion: s.output.reducedMotion,
		Redact: s.token, Filter: s.filter, Since: s.output.since.At, CanSuspend: terminal.CanSuspend, Notify: s.notify,
		Resumed: s.gap, Sources: s.states, Failing: s.failing, Export: exportTask, Picture: savePicture,
		Viewers: s.viewers,
	}
	for _, secret := range s.knownSecrets() {
		o.Secrets = append(o.Secrets, secret.Name)
	}
	// An interface that contains a nil pointer is not nil.
	if s.client != nil {
		o.API = s.client
	}
	if s.names != nil {
		o.Names = s.names
	}
	if s.exposure != nil {
		o.Endpoint = s.exposure.state
	}
	if len(s.forwarders) > 0 {
		o.Queues, o.Editor = s.queues, s.editor
		o.ResendTo = s.forwarders[0].To()
		o.Resend = func(ctx context.Context, d model.Delivery, body []byte) ([]string, model.Forward, error) {
			return forward.Resend(ctx, s.forwarders, d, body)
		}
	}
	return o
}
