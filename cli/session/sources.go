package session

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/model"
	"aspectop/source"
)

// SourceFlags configure the sources other than the receiver.
type SourceFlags struct {
	Poll settings.Span
	SSE  string
}

// Flags adds the flags.
func (f *SourceFlags) Flags(set *pflag.FlagSet) {
	set.Var(&f.Poll, "poll", "poll Aspect's API at this interval, such as 5s; needs "+settings.KeyVariable)
	set.StringVar(&f.SSE, "sse", "", "URL of the provider's event stream to read as well")
}

// AddSources makes the session read Aspect's API if there is a client (at the start
// and after gaps, or at an interval), and the event stream if there is a URL.
func (s *Session) AddSources(client *aspect.Client, every time.Duration, sse string) error {
	if client == nil && sse == "" {
		return nil
	}
	reader, err := s.OpenReader()
	if err != nil {
		return err
	}
	if sse == "" {
		reader.OmitHeader()
	}
	history := source.NewHistory(reader)
	report := func(r source.Report) {
		s.setSource(r)
		if r.Notice != "" {
			s.notice(r.Notice)
		}
	}
	if client != nil {
		poller := source.NewPoller(source.PollerConfig{
			API: client, Journal: s.appender(), History: history, Every: every, Report: report,
		})
		s.client, s.gap = client, poller.Gap
		s.names = source.NewNames(client, nil)
		s.beside = append(s.beside, untilEnd(poller.Run), untilEnd(s.names.Run))
		if s.reach == nil || s.reach.registrar == nil {
			s.beside = append(s.beside, untilEnd(func(ctx context.Context) { cleanUp(ctx, s, client) }))
		}
	}
	if sse != "" {
		var key aspect.Credential
		if client != nil && client.At(sse) {
			key = settings.APIKey()
		} else if client != nil {
			s.Remark("the event stream is not at " + settings.URLVariable + ": the API key is not sent to it")
		}
		stream, err := source.NewStream(source.StreamConfig{
			URL: sse, Key: key, Journal: s.appender(), History: history, Report: report,
		})
		if err != nil {
			return exit.Usage("--sse: %w", err)
		}
		s.beside = append(s.beside, untilEnd(stream.Run))
	}
	return nil
}

// cleanUp deletes the endpoints of earlier runs that crashed. A session that
// registers an endpoint does this while registering.
func cleanUp(ctx context.Context, s *Session, client *aspect.Client) {
	state, err := settings.StateDir()
	if err != nil {
		return // so there are no leases
	}
	if _, err := recoverEndpoints(ctx, s, aspect.NewRegistrar(client, state), ""); err != nil && ctx.Err() == nil {
		s.notice(err.Error())
	}
}

// untilEnd makes a service of a function that returns only when its context ends.
func untilEnd(run func(context.Context)) Service {
	return func(ctx context.Context) error {
		run(ctx)
		return nil
	}
}

// setSource stores the state of the API or the stream.
func (s *Session) setSource(r source.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources == nil {
		s.sources = map[model.Source]source.Report{}
	}
	s.sources[r.Source] = r
}

// sourceStates describes the states of the API and the stream.
func (s *Session) sourceStates() (states []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range []model.Source{model.SourceAPI, model.SourceSSE} {
		if r, ok := s.sources[of]; ok && r.Detail != "" {
			states = append(states, r.Detail)
		}
	}
	return states
}

// failing are the names of the API and the stream if they do not work now.
func (s *Session) failing() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range []model.Source{model.SourceAPI, model.SourceSSE} {
		if s.sources[of].State == source.Trouble {
			names = append(names, map[model.Source]string{model.SourceAPI: "Aspect's API", model.SourceSSE: "event stream"}[of])
		}
	}
	return names
}
