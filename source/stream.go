package source

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"aspectop/aspect"
	"aspectop/broadcast"
	"aspectop/model"
)

// StreamConfig configures a [Stream].
type StreamConfig struct {
	URL string
	// Key is sent as a bearer token if not empty, only to the URL's own server. It is for
	// the server of the API alone; see [aspect.Client.At].
	Key     aspect.Credential
	Journal Appender
	History *History     // of the same journal, with headers
	HTTP    *http.Client // nil: one of our own, through the environment's proxy
	Report  func(Report) // called with each change, from one goroutine; must not block; may be nil
}

// Stream reads the provider's event stream (server-sent events) and stores the events
// in the journal. An event's data is the body of a webhook, or a bare task.
//
// Events are identified by their event_id or else by their data, because a stream's own
// ids may restart with each connection. Those that are already in the journal, from any
// source, are skipped. The stream waits while an event cannot be stored, and reconnects
// from the last stored event, of this run or an earlier one.
type Stream struct {
	c      StreamConfig
	host   string
	client *http.Client

	report *reporter
	last   string        // id of the last stored event
	retry  time.Duration // before reconnecting
	empty  bool          // the last connection ended without data
}

const (
	defaultReconnect = 3 * time.Second
	minReconnect     = 500 * time.Millisecond // whatever the server asks for
	idleLimit        = 90 * time.Second       // without even a comment, a connection is dead
	soon             = 10 * time.Second       // a connection that ended earlier without data has failed
)

// The headers in which a delivery stores the stream's id and event name.
const (
	headerID    = "Last-Event-Id"
	headerEvent = "Event"
)

// streamID is the id of a delivery from the stream.
func streamID(eventID string) string { return "sse:" + eventID }

// NewStream does not connect. Its error does not contain the URL, which may contain a
// password.
func NewStream(c StreamConfig) (*Stream, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the event stream's URL must begin with https:// or http:// and a host")
	}
	if u.User != nil {
		return nil, errors.New("the event stream's URL must not contain a user or password")
	}
	transport := aspect.NewTransport()
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.DisableCompression = true // it would delay events
	client := http.Client{Transport: transport}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = aspect.CheckRedirect
	return &Stream{c: c, host: u.Host, client: &client, retry: defaultReconnect}, nil
}

// Run reads until ctx ends or the server reports that there will be no more events. Call
// it once.
func (s *Stream) Run(ctx context.Context) {
	s.report = newReporter(model.SourceSSE, "the event stream", s.c.Report)
	s.try(ctx, func() error { return s.c.History.catchUp(ctx) })
	s.try(ctx, func() (err error) {
		s.last, err = s.c.History.lastStreamID(ctx)
		return err
	})
	for failures := 0; ctx.Err() == nil; {
		err := s.read(ctx)
		bad, isBad := errors.AsType[*badConnection](err)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errNoMore):
			s.report.stopped(fmt.Sprintf("%s reports that there will be no more events (204 No Content); stopped reading", s.host))
			return
		case isBad:
			failures++
			wait := jittered(max(grow(s.retry, lastRetry, failures), bad.retryAfter))
			s.report.trouble(bad.cause, errors.New(bad.words), time.Now().Add(wait).UTC())
			broadcast.Sleep(ctx, wait)
		default:
			failures = 0
			wait := jittered(s.retry)
			s.report.connecting(err.Error(), time.Now().Add(wait).UTC())
			broadcast.Sleep(ctx, wait)
		}
	}
}

// store stores an event unless it is known.
func (s *Stream) store(ctx context.Context, m message) {
	d := &model.Delivery{Source: model.SourceSSE, Received: time.Now().UTC(), Header: map[string][]string{}, Body: m.data}
	if m.id != "" {
		d.Header[headerID] = []string{m.id}
	}
	if m.name != "" {
		d.Header[headerEvent] = []string{m.name}
	}
	id := model.Decode(d).EventID
	if id == "" {
		h := sha256.New()
		h.Write(m.data)
		id = digest(h)
	}
	d.ID = streamID(id)
	s.try(ctx, func() error {
		if err := s.c.History.catchUp(ctx); err != nil || s.c.History.has(d.ID) {
			return err
		}
		return s.c.Journal.Append(ctx, d)
	})
}

// try repeats work on the journal until it succeeds. Meanwhile the stream is not read.
func (s *Stream) try(ctx context.Context, work func() error) {
	for n := 1; ; n++ {
		err := work()
		if err == nil || ctx.Err() != nil {
			return
		}
		wait := jittered(grow(time.Second, 30*time.Second, n))
		s.report.trouble("journal", fmt.Errorf("the journal cannot store events: %w; waiting until it can", err), time.Now().Add(wait).UTC())
		broadcast.Sleep(ctx, wait)
	}
}
