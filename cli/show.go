package cli

import (
	"context"
	"fmt"
	"os"
	"time"

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

func (s *session) mode() mode {
	switch {
	case s.output.json:
		return asJSON
	case s.output.plain || !isTerminal():
		return asSentences
	}
	return onScreen
}

// show draws the screen, or prints.
func (s *session) show(ctx context.Context) error {
	switch {
	case s.instead != nil:
		close(s.showing)
		return s.instead(ctx)
	case s.mode() == onScreen:
		close(s.showing)
		return s.screen(ctx)
	}
	for _, r := range s.remarks {
		fmt.Fprintln(os.Stderr, "aspectop: "+r)
	}
	return s.print(ctx)
}

// print prints lines, from when deliveries are accepted.
func (s *session) print(ctx context.Context) error {
	format := printer.Plain
	if s.mode() == asJSON {
		format = printer.JSON
	}
	ready := printer.Ready{URL: s.url(), Journal: s.place, PID: os.Getpid()}
	if format == printer.JSON && s.status != nil {
		defer s.diagnose(ctx)()
	}
	select {
	case <-s.ready:
	case <-ctx.Done(): // it never came to it, and whoever ended it says why
		return nil
	}
	if s.reach != nil {
		ready.PublicURL, ready.Probe, ready.Tunnel = s.public, s.probe, string(s.reach.options.Mode)
	}
	s.reader.OmitHeader() // no line tells them
	return printer.Run(ctx, printer.Options{
		Format: format, Out: os.Stdout, Journal: s.reader, Status: s.status,
		Filter: s.filter, Since: s.output.since.at, Now: time.Now, Ready: ready,
		Started: func() { close(s.showing) },
	})
}

// diagnose writes the notices to stderr, for which the lines have no type,
// until the returned function is called, which waits for the last ones.
func (s *session) diagnose(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / 5)
		defer tick.Stop()
		for cursor, ended := int64(0), false; !ended; {
			select {
			case <-ctx.Done():
				ended = true
			case <-tick.C:
			}
			var entries []model.Status
			entries, _, cursor = s.status.After(cursor)
			for _, e := range entries {
				if e.Notice != "" {
					fmt.Fprintln(os.Stderr, "aspectop: "+printer.Clean(e.Notice))
				}
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
