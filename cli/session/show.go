package session

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"aspectop/clean"
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

// show draws the screen or prints lines.
func (s *Session) show(ctx context.Context) error {
	defer s.shareSSH()()
	defer s.shareWeb()()
	if s.instead == nil && s.mode() == onScreen {
		return s.screen(ctx)
	}
	for _, r := range s.remarks {
		fmt.Fprintln(os.Stderr, "aspectop: "+r)
	}
	if s.instead != nil {
		return s.instead(ctx)
	}
	return s.print(ctx)
}

// print prints lines from when deliveries are accepted.
func (s *Session) print(ctx context.Context) error {
	o := s.lines(ctx, false)
	o.Out, o.From = os.Stdout, s.Feed.Opened()
	if s.mode() == asJSON {
		o.Format = printer.JSON
	}
	// Notices go to stderr until lines are printed, and in JSON mode also later,
	// because JSON has no line for them.
	stop := s.diagnose(ctx, 0, true)
	select {
	case <-s.receiving:
	case <-ctx.Done():
		if s.failed { // the receiver did not start, and the error says why
			stop()
			return nil
		}
	}
	o.PrintAfter = stop()
	if o.Format == printer.JSON {
		stop := s.diagnose(ctx, o.PrintAfter, false)
		defer stop()
	}
	o.Trouble, o.Forwarding, o.Temporary = s.troubled, s.forwarding(), s.temporary
	return printer.Run(ctx, o)
}

// lines are the options of lines, here or over SSH, until ctx ends. Private ones
// tell no URL.
func (s *Session) lines(ctx context.Context, private bool) printer.Options {
	ready := make(chan printer.Ready, 1)
	s.background.Go(func() {
		select {
		case <-s.ready:
			if private {
				ready <- printer.Ready{PID: os.Getpid()}
			} else {
				ready <- s.readyLine()
			}
		case <-ctx.Done():
		}
	})
	o := printer.Options{Feed: s.Feed, Filter: s.filter, Since: s.output.since.At, Now: time.Now, Ready: ready}
	if !private { // notices and forwards contain URLs
		o.Status, o.URL = s.status, s.URL()
	}
	return o
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
			ended = s.status.Wait(ctx, cursor) != nil
			var entries []model.Status
			entries, _, cursor = s.status.After(cursor)
			for _, e := range entries {
				say := e.Notice
				if t := e.Tunnel; t != nil && tunnel {
					say = strings.TrimRight("tunnel "+string(t.State)+": "+t.Detail, ": ")
				}
				if say != "" {
					fmt.Fprintln(os.Stderr, "aspectop: "+clean.Text(say))
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

// troubled reports that the journal is unreadable and why, or readable again.
func (s *Session) troubled(why string) {
	if why == "" {
		s.notice("the journal is readable again")
		return
	}
	s.notice(why + "; trying again")
}
