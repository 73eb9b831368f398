package session

import (
	"context"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"aspectop/aspect"
	"aspectop/cli/exit"
	"aspectop/cli/settings"
	"aspectop/journal"
	"aspectop/model"
	"aspectop/source"
)

// SourceFlags configure the sources other than the receiver.
type SourceFlags struct {
	Poll settings.Duration
	SSE  string
	set  *pflag.FlagSet
}

// Flags adds the flags.
func (f *SourceFlags) Flags(set *pflag.FlagSet) {
	f.set = set
	set.Var(&f.Poll, "poll", "poll Aspect's API at this interval, such as 5s; needs "+settings.KeyVariable)
	set.StringVar(&f.SSE, "sse", "", "URL of the provider's event stream to read as well")
}

// PollWaits has --poll wait for a key. It returns false if it is on the command line.
func (f *SourceFlags) PollWaits() bool { return settings.Waits(f.set, "poll") }

// sources are the ways in besides the receiver.
type sources struct {
	client *aspect.Client // nil without a key
	names  *source.Names  // nil without a key
	gap    func()         // reports that deliveries may have been missed
	// besideStream makes the journal that of a receiver beside an event stream; nil if none
	// is read.
	besideStream func(source.Appender) source.Appender

	reportMu sync.Mutex
	reports  [len(ways)]source.Report // by way
}

// Ask lets the screen ask Aspect's API; a nil client means no key.
func (s *Session) Ask(client *aspect.Client) { s.client = client }

// Name lets the screen ask Aspect's API, for the names of assets too.
func (s *Session) Name(client *aspect.Client) {
	s.client, s.names = client, source.NewNames(client, nil)
	s.Beside(untilEnd(s.names.Run))
}

// AddSources makes the session read Aspect's API if there is a client (at the start
// and after gaps, or at an interval), and the event stream if there is a URL.
func (s *Session) AddSources(client *aspect.Client, every time.Duration, sse string) error {
	if client == nil && sse == "" {
		return nil
	}
	history := source.NewHistory(s.Feed)
	alone, refused := s.listener == nil && sse == "", make(chan error, 1)
	if alone {
		s.Beside(func(ctx context.Context) error {
			select {
			case err := <-refused:
				return exit.Setup(err)
			case <-ctx.Done():
				return nil
			}
		})
	}
	report := func(r source.Report) {
		s.sources.report(r)
		if r.State == source.OK {
			alone = false // a key that was good once may be again
		} else if alone && aspect.KeyRefused(r.Err) {
			refused <- r.Err
			alone = false
			return
		}
		if r.Notice != "" {
			s.notice(r.Notice)
		}
	}
	if client != nil {
		poller := source.NewPoller(source.PollerConfig{
			API: client, Journal: s.appender(), History: history, Every: every, Report: report,
		})
		s.gap = poller.Gap
		s.Beside(untilEnd(poller.Run))
		s.Name(client)
		if s.exposure == nil || s.exposure.leases == nil {
			s.Beside(untilEnd(func(ctx context.Context) { cleanUp(ctx, s, client) }))
		}
	}
	if sse != "" {
		var key aspect.Credential
		if client != nil && client.At(sse) {
			key = settings.APIKey()
		} else if client != nil {
			s.Remark("the event stream is not at " + settings.URLVariable + ": the API key is not sent to it")
		}
		config := source.StreamConfig{
			URL: sse, Key: key, Journal: streamJournal{s.journal, s.rows}, History: history, Report: report,
		}
		if client != nil {
			config.Gap = s.gap
		}
		stream, err := source.NewStream(config)
		if err != nil {
			return exit.Usage("--sse: %w", err)
		}
		s.besideStream = history.Webhooks
		s.Beside(untilEnd(stream.Run))
	}
	return nil
}

type streamJournal struct {
	journal.Journal
	rows journal.Reader
}

func (j streamJournal) AppendAll(ctx context.Context, deliveries []*model.Delivery) error {
	began := time.Now()
	err := j.Journal.AppendAll(ctx, deliveries)
	for _, d := range deliveries {
		debugDelivery(d, time.Since(began), err)
	}
	return err
}

func (j streamJournal) SaveStreamID(key, id string) error {
	return journal.SaveStreamID(j.Journal, key, id)
}

func (j streamJournal) StreamIDs(ctx context.Context) (map[string]string, error) {
	return journal.StreamIDs(ctx, j.rows)
}

// cleanUp deletes the endpoints of earlier runs that crashed. A session that
// registers an endpoint does this while registering.
func cleanUp(ctx context.Context, s *Session, client *aspect.Client) {
	state, err := settings.StateDir()
	if err != nil {
		return // so there are no leases
	}
	if _, err := recoverEndpoints(ctx, s, aspect.NewLeases(client, state), ""); err != nil && ctx.Err() == nil {
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

func (s *sources) report(r source.Report) {
	s.reportMu.Lock()
	defer s.reportMu.Unlock()
	s.reports[way(r.Source)] = r
}

// ways name the API and the stream, in the order in which they are shown.
var ways = [...]string{"Aspect's API", "event stream"}

func way(of model.Source) int {
	if of == model.SourceAPI {
		return 0
	}
	return 1
}

func (s *sources) states() (states []string) {
	s.reportMu.Lock()
	defer s.reportMu.Unlock()
	for _, r := range s.reports {
		if r.Detail != "" {
			states = append(states, r.Detail)
		}
	}
	return states
}

// failing are the names of the API and the stream if they do not work now.
func (s *sources) failing() (names []string) {
	s.reportMu.Lock()
	defer s.reportMu.Unlock()
	for i, r := range s.reports {
		if r.State == source.Trouble {
			names = append(names, ways[i])
		}
	}
	return names
}
