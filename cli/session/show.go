package session

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"aspectop/cli/terminal"
	"aspectop/model"
	"aspectop/printer"
)

// mode is how a session shows events.
type mode int

const (
	onScreen mode = iota
	asSentences
	asJSON
)

func (s *Session) mode() mode {
	switch {
	case s.output.json:
		return asJSON
	case s.output.plain || !terminal.IsTerminal():
		return asSentences
	}
	return onScreen
}

// Show draws the screen or prints lines.
func (s *Session) Show(ctx context.Context) error {
	if s.instead == nil && (s.Watched() || s.metrics != nil) {
		stop, err := s.fold(ctx, time.Now)
		if err != nil {
			return err
		}
		defer stop()
	}
	defer s.shareSSH()()
	defer s.shareWeb()()
	if s.instead == nil && s.mode() == onScreen {
		close(s.showing)
		return s.screen(ctx)
	}
	for _, r := range s.remarks {
		fmt.Fprintln(os.Stderr, "aspectop: "+r)
	}
	if s.instead != nil {
		close(s.showing)
		return s.instead(ctx)
	}
	return s.print(ctx)
}

// print prints lines once deliveries are accepted.
func (s *Session) print(ctx context.Context) error {
	format := printer.Plain
	if s.mode() == asJSON {
		format = printer.JSON
	}
	// Notices go to stderr until lines are printed, and in JSON mode also later,
	// because JSON has no line for them.
	stop := s.diagnose(ctx, 0, true)
	select {
	case <-s.ready:
	case <-ctx.Done():
		if s.failed { // the receiver did not start, and the error says why
			stop()
			return nil
		}
	}
	told := stop()
	if format == printer.JSON {
		stop := s.diagnose(ctx, told, false)
		defer stop()
	}
	s.reader.OmitHeader() // lines do not contain headers
	return printer.Run(ctx, printer.Options{
		Format: format, Out: os.Stdout, Journal: s.reader, Status: s.told(), Told: told,
		Filter: s.filter, Since: s.output.since.At, Now: time.Now, Ready: s.readyLine(),
		Trouble: s.troubled, Forwarding: s.handlers.forwarding(), Temporary: s.temporary,
		Started: func() { close(s.showing) },
	})
}

// readyLine is the content of the ready line. It is valid once s.ready is closed.
func (s *Session) readyLine() printer.Ready {
	ready := printer.Ready{URL: s.URL(), Journal: s.place, PID: os.Getpid()}
	if s.reach != nil {
		ready.PublicURL, ready.Probe, ready.Tunnel = s.public, s.probe, string(s.reach.options.Mode)
	}
	return ready
}

// diagnose writes the notices after the cursor in the status log to stderr, with
// tunnel also the tunnel's states, until the returned function is called. That
// function flushes and returns the new cursor.
func (s *Session) diagnose(ctx context.Context, cursor int64, tunnel bool) (stop func() int64) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ended := false; !ended; {
			ended = s.told().Wait(ctx, cursor) != nil
			var entries []model.Status
			entries, _, cursor = s.told().After(cursor)
			for _, e := range entries {
				say := e.Notice
				if t := e.Tunnel; t != nil && tunnel {
					say = strings.TrimRight("tunnel "+string(t.State)+": "+t.Detail, ": ")
				}
				if say != "" {
					fmt.Fprintln(os.Stderr, "aspectop: "+printer.Clean(say))
				}
			}
			select { // a flood of rejected requests comes in gulps
			case <-ctx.Done():
			case <-time.After(time.Second / 5):
			}
		}
	}()
	return func() int64 {
		cancel()
		<-done
		return cursor
	}
}

// troubled reports that the journal is unreadable, or readable again.
func (s *Session) troubled(err error) {
	text := "the journal is readable again"
	if err != nil {
		text = fmt.Sprintf("cannot read the journal: %v; trying again", err)
	}
	if s.status == nil {
		fmt.Fprintln(os.Stderr, "aspectop: "+printer.Clean(text))
		return
	}
	s.notice(text)
}
