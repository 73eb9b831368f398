package cli

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/model"
	"aspectop/source"
)

// defaultPoll is how often Aspect's API is asked when there is no other way.
const defaultPoll = 5 * time.Second

// sourceFlags name the ways in beside the receiver.
type sourceFlags struct {
	poll span
	sse  string
}

func (f *sourceFlags) flags(set *pflag.FlagSet) {
	set.Var(&f.poll, "poll", "ask Aspect's API for tasks so often, such as 5s; needs "+keyVariable)
	set.StringVar(&f.sse, "sse", "", "URL of the provider's event stream, to read it too")
}

// addSources lets the session read Aspect's API if there is a key: once at the
// start and after gaps, or again and again; and the event stream.
func (w *watchFlags) addSources(s *session, p plan) error {
	if p.client == nil && w.sse == "" {
		return nil
	}
	reader, err := s.openReader()
	if err != nil {
		return err
	}
	if w.sse == "" {
		reader.OmitHeader()
	}
	history := source.NewHistory(reader)
	report := func(r source.Report) {
		s.setSource(r)
		if r.Notice != "" {
			s.notice(r.Notice)
		}
	}
	if p.client != nil {
		poller := source.NewPoller(source.PollerConfig{
			API: p.client, Journal: s.journal, History: history, Every: p.poll, Report: report,
		})
		s.client, s.gap = p.client, poller.Gap
		s.names = source.NewNames(p.client, nil)
		s.beside = append(s.beside, untilEnd(poller.Run), untilEnd(s.names.Run))
		if !p.register {
			s.beside = append(s.beside, untilEnd(func(ctx context.Context) { cleanUp(ctx, s, p.client) }))
		}
	}
	if w.sse != "" {
		stream, err := source.NewStream(source.StreamConfig{
			URL: w.sse, Key: apiKey(), Journal: s.journal, History: history, Report: report,
		})
		if err != nil {
			return usageError("--sse: %w", err)
		}
		s.beside = append(s.beside, untilEnd(stream.Run))
	}
	return nil
}

// cleanUp deletes the endpoints that earlier runs left behind by dying. A
// session that registers one of its own does so before.
func cleanUp(ctx context.Context, s *session, client *aspect.Client) {
	state, err := stateDir()
	if err != nil {
		return // then no run has left anything
	}
	if _, err := recoverEndpoints(ctx, s, aspect.NewRegistrar(client, state), ""); err != nil && ctx.Err() == nil {
		s.notice(err.Error())
	}
}

// untilEnd makes a service of something that only ends with its context.
func untilEnd(run func(context.Context)) service {
	return func(ctx context.Context) error {
		run(ctx)
		return nil
	}
}

// setSource remembers how the API or the stream does.
func (s *session) setSource(r source.Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sources == nil {
		s.sources = map[model.Source]source.Report{}
	}
	s.sources[r.Source] = r
}

// sourceStates tells how the ways in beside the receiver do, in words.
func (s *session) sourceStates() (states []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range []model.Source{model.SourceAPI, model.SourceSSE} {
		if r, ok := s.sources[of]; ok && r.Detail != "" {
			states = append(states, r.Detail)
		}
	}
	return states
}
