package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"aspectop/aspect"
	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/model"
)

// StreamJournal keeps the events of a [Stream], and how far it was read.
type StreamJournal interface {
	// AppendAll keeps all or nothing, in order; see [Appender].
	AppendAll(ctx context.Context, deliveries []*model.Delivery) error
	// SaveStreamID and StreamIDs keep the last event id of a stream under a key.
	SaveStreamID(key, id string) error
	StreamIDs(ctx context.Context) (map[string]string, error)
}

// StreamConfig configures a [Stream].
type StreamConfig struct {
	URL string
	// Key is sent as a bearer token if not empty, only to the URL's own server. It is for
	// the server of the API alone; see [aspect.Client.At].
	Key     aspect.Credential
	Journal StreamJournal
	History *History     // of the same journal, with headers
	HTTP    *http.Client // nil: one of our own, through the environment's proxy
	Report  func(Report) // called with each change, from one goroutine; must not block; may be nil
	// Gap is called when events may have been missed, and must not block; nil if they cannot
	// be fetched.
	Gap func()
}

// Stream reads the provider's event stream (server-sent events) and stores the events
// in the journal. An event's data is the body of a webhook, or a bare task; what is neither
// is counted and not stored. Nothing of it is signed.
//
// Events are identified by their event_id or else by their data, because a stream's own
// ids may restart with each connection. One that came by webhook is stored as a repeat of
// that, one that came by a stream is skipped. The stream waits while events cannot be
// stored, and reconnects from the last id, of this run or an earlier one.
//
// A connection is never given up for being quiet. Beside one that has been quiet for
// [quietLimit] a second one is opened, until one of them brings an event.
type Stream struct {
	c      StreamConfig
	host   string
	key    string // SHA-256 of the URL
	client *http.Client

	queue   queue
	readers sync.WaitGroup

	// By the goroutine of Run:
	report  *reporter
	open    []*connection        // at most two
	last    string               // id of the last event that was stored or skipped
	retry   time.Duration        // before reconnecting
	next    time.Time            // when to connect, if no connection is open
	quiet   time.Time            // since when nothing came
	broken  time.Time            // when the last connection ended; zero before
	empty   bool                 // the last connection ended without data
	some    bool                 // a byte has come in this run
	fails   int                  // in a row
	skipped map[string]int       // by the name of the event
	told    map[string]time.Time // when a notice was made that is not to be repeated soon
	gaps    int                  // since one was told
}

const (
	defaultReconnect = 3 * time.Second
	minReconnect     = 500 * time.Millisecond // whatever the server asks for
	bufferLimit      = 30 * time.Second       // without a byte from a new connection, a proxy may be buffering
	quietLimit       = 90 * time.Second       // without a byte, not even a comment, a connection may be dead
	soon             = 10 * time.Second       // a connection that ended earlier without data has failed
	gapsAgain        = 10 * time.Minute       // between notices of gaps
	maxBatch         = 1000                   // events in a commit
	maxSkipped       = 20                     // names of events that are no task's
)

// The headers in which a delivery stores the stream's id and event name.
const (
	headerID    = "Last-Event-Id"
	headerEvent = "Event"
)

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
	transport.DisableCompression = true // it would delay events
	client := http.Client{Transport: transport}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = aspect.CheckRedirect
	key := sha256.Sum256([]byte(c.URL))
	return &Stream{
		c: c, host: u.Host, key: hex.EncodeToString(key[:]), client: &client, retry: defaultReconnect,
		queue: queue{news: make(chan struct{}, 1)}, skipped: map[string]int{}, told: map[string]time.Time{},
	}, nil
}

// Run reads until ctx ends or the server reports that there will be no more events. Call
// it once.
func (s *Stream) Run(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer s.readers.Wait()
	defer stop()
	s.report = newReporter(model.SourceSSE, "the event stream", s.c.Report)
	s.try(ctx, func() error { return s.c.History.catchUp(ctx) })
	s.try(ctx, func() error { return s.position(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		timer.Reset(time.Until(s.due(ctx)))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.queue.news:
			if !s.handle(ctx, s.queue.take()) {
				return
			}
		}
	}
}

// position finds where to go on. An id of an earlier version, which did not keep of which
// URL it is, is taken for the first URL's.
func (s *Stream) position(ctx context.Context) error {
	ids, err := s.c.Journal.StreamIDs(ctx)
	if err != nil {
		return err
	}
	s.last = ids[s.key]
	if len(ids) > 0 {
		return nil
	}
	last, err := s.c.History.lastStreamID(ctx)
	if err != nil || last == "" {
		return err
	}
	if err := s.c.Journal.SaveStreamID(s.key, last); err != nil {
		return err
	}
	s.last = last
	s.report.note("going on from the last event id in the journal, which an earlier version kept without the URL; for another URL it is not used")
	return nil
}

// due does what is due, and returns when something will be.
func (s *Stream) due(ctx context.Context) time.Time {
	now := time.Now()
	switch len(s.open) {
	case 0:
		if now.Before(s.next) {
			return s.next
		}
		s.quiet = now
		s.dial(ctx)
		return now.Add(bufferLimit)
	case 1:
		c := s.open[0]
		if at := c.heard(); at.After(s.quiet) {
			s.quiet = at
		}
		if !s.some && c.newest.Load() == nil {
			if at := c.heard().Add(bufferLimit); now.Before(at) {
				return at
			}
			s.tellSilence(c)
		}
		if at := s.quiet.Add(quietLimit); now.Before(at) {
			return at
		}
		s.report.report(s.report.last.State, fmt.Sprintf("nothing from %s for %v: a second connection is open beside the first", s.host, quietLimit), time.Time{}, "")
		s.dial(ctx)
	}
	return now.Add(time.Hour)
}

// tellSilence says once that a connection brings nothing.
func (s *Stream) tellSilence(c *connection) {
	state, text := OK, fmt.Sprintf("connected to %s, no byte yet: if events are due, a proxy may be buffering them", s.host)
	if c.answered.IsZero() {
		state, text = Connecting, fmt.Sprintf("no answer yet from %s: a proxy may be buffering it until there are events; waiting", s.host)
	}
	if s.told[text].IsZero() {
		s.told[text] = time.Now()
		s.report.report(state, text, time.Time{}, text)
	}
}

// handle handles what was read, and reports whether to go on.
func (s *Stream) handle(ctx context.Context, items []item) bool {
	for len(items) > 0 {
		if n := slices.IndexFunc(items, func(i item) bool { return i.kind != isEvent }); n != 0 {
			if n < 0 || n > maxBatch {
				n = min(len(items), maxBatch)
			}
			if !s.store(ctx, items[:n]) {
				return false
			}
			clear(items[:n]) // for the bodies
			items = items[n:]
			continue
		}
		i := items[0]
		items = items[1:]
		s.retryIn(i.retry)
		if slices.Contains(s.open, i.from) && !s.change(i) {
			return false
		}
	}
	return true
}

func (s *Stream) retryIn(d time.Duration) {
	if d >= 0 {
		s.retry = min(max(d, minReconnect), lastRetry)
	}
}

// change takes note that a connection was answered, begins to bring something, or ended.
func (s *Stream) change(i item) bool {
	switch i.kind {
	case answered:
		i.from.answered = time.Now()
		if !s.empty && (len(s.open) == 1 || s.report.last.State != OK) {
			s.connected() // a quiet stream may send nothing for a long time
		}
		if !s.broken.IsZero() && s.last == "" {
			s.missed("since " + clock(s.broken) + ", when a connection ended,")
		}
		s.broken = time.Time{}
	case began:
		if s.some = true; len(s.open) == 1 {
			s.connected()
		}
	case ended:
		s.open = slices.DeleteFunc(s.open, func(c *connection) bool { return c == i.from })
		s.quiet = time.Now()
		if len(s.open) > 0 {
			break // the other one goes on
		}
		s.empty = !i.from.answered.IsZero() && i.from.newest.Load() == nil && time.Since(i.from.began) < soon
		if !i.from.answered.IsZero() && !s.empty {
			s.broken = time.Now()
		}
		err := s.ended(i.err)
		bad, isBad := errors.AsType[*badConnection](err)
		switch {
		case errors.Is(err, errNoMore):
			s.report.stopped(fmt.Sprintf("%s reports that there will be no more events (204 No Content); stopped reading", s.host))
			return false
		case isBad:
			s.fails++
			s.next = time.Now().Add(broadcast.Jittered(max(broadcast.Grow(s.retry, lastRetry, s.fails), bad.retryAfter)))
			s.report.trouble(bad.cause, errors.New(bad.words), s.next.UTC())
		default:
			s.fails = 0
			s.next = time.Now().Add(broadcast.Jittered(s.retry))
			s.report.connecting(err.Error(), s.next.UTC())
		}
	}
	return true
}

// missed says that events of a stream without ids may be missing, and has them fetched.
func (s *Stream) missed(since string) {
	s.gaps++
	if s.c.Gap != nil {
		s.c.Gap()
	}
	if time.Since(s.told["gap"]) < gapsAgain {
		return
	}
	text := "events " + since + " may have been missed, as the stream has no ids to go on from"
	if s.gaps > 1 {
		text += fmt.Sprintf(" (%d times so far)", s.gaps)
	}
	if s.c.Gap != nil {
		text += "; asking Aspect's API for its tasks"
	} else {
		text += "; with ASPECT_API_KEY, Aspect's API would be asked for its tasks"
	}
	s.told["gap"] = time.Now()
	s.report.note(text)
}

func clock(t time.Time) string { return t.Local().Format(time.TimeOnly) }

func (s *Stream) connected() {
	text, n := "connected to "+s.host, 0
	for _, skipped := range s.skipped {
		n += skipped
	}
	if n > 0 {
		text += fmt.Sprintf("; events not kept, as they are not about Aspect's tasks: %d", n)
	}
	s.report.ok(text, time.Time{})
}

// store stores events unless they are known, and reports whether it did; if not, ctx has
// ended.
func (s *Stream) store(ctx context.Context, items []item) bool {
	var deliveries []*model.Delivery
	var from *connection // the first that brought an event
	known := make(map[string]bool, len(items))
	for i := range items {
		m := &items[i]
		s.retryIn(m.retry)
		switch {
		case m.tooLarge:
			s.report.note(fmt.Sprintf("skipped an event larger than %d MiB", maxEvent>>20))
		case len(m.data) > 0:
			d, ok := m.delivery()
			if !ok {
				s.skip(m)
				continue
			}
			if from == nil {
				from = m.from
			}
			if !known[d.ID] {
				known[d.ID] = true
				deliveries = append(deliveries, d)
			}
		}
	}
	if len(deliveries) > 0 {
		s.try(ctx, func() error { return s.c.History.enter(ctx, s.c.Journal, deliveries) })
	}
	if last := items[len(items)-1].id; last != s.last && ctx.Err() == nil {
		s.try(ctx, func() error { return s.c.Journal.SaveStreamID(s.key, last) })
		s.last = last
	}
	if ctx.Err() != nil {
		return false
	}
	s.quiet = time.Now() // the journal may have taken long
	if from != nil && len(s.open) == 2 {
		s.keepOnly(from)
	}
	s.connected()
	return true
}

// keepOnly closes the other connection, once one has brought an event.
func (s *Stream) keepOnly(from *connection) {
	if !slices.Contains(s.open, from) {
		return
	}
	if first := s.open[0]; first != from && s.last == "" && first.heard().Before(from.began) {
		s.missed("since " + clock(first.heard()) + ", when the older connection last brought something,")
	}
	for _, c := range s.open {
		if c != from {
			c.cancel()
		}
	}
	s.open = []*connection{from}
}

// delivery is an event as it is stored; ok is false if it tells nothing of Aspect's.
func (m *message) delivery() (d *model.Delivery, ok bool) {
	d = &model.Delivery{Source: model.SourceSSE, Received: time.Now().UTC(), Header: map[string][]string{}, Body: m.data}
	if m.id != "" {
		d.Header[headerID] = []string{m.id}
	}
	if m.name != "" {
		d.Header[headerEvent] = []string{m.name}
	}
	e := model.Decode(d)
	id := e.EventID
	if id == "" {
		h := sha256.New()
		h.Write(m.data)
		id = digest(h)
	}
	d.ID = model.StreamID(id)
	return d, e.Kind != model.Unrecognised && e.Kind != model.Ping
}

// skip counts an event that is not stored, and says so once for each name.
func (s *Stream) skip(m *item) {
	name := m.name
	if name == "" {
		name = "message" // as browsers call it
	}
	if s.skipped[name] == 0 && len(s.skipped) < maxSkipped {
		s.report.note(fmt.Sprintf("an event named %s is neither an event of Aspect nor a task: such events are counted, not kept", clean.Quoted(name)))
	} else if s.skipped[name] == 0 {
		name = ""
	}
	s.skipped[name]++
}

// try repeats work on the journal until it succeeds. Meanwhile the stream is not read.
func (s *Stream) try(ctx context.Context, work func() error) {
	for n := 1; ; n++ {
		err := work()
		if err == nil || ctx.Err() != nil {
			return
		}
		wait := broadcast.Jittered(broadcast.Grow(time.Second, 30*time.Second, n))
		s.report.trouble("journal", fmt.Errorf("the journal cannot store events: %w; waiting until it can", err), time.Now().Add(wait).UTC())
		broadcast.Sleep(ctx, wait)
	}
}
