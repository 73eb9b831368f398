package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/aspect"
	"aspectop/broadcast"
	"aspectop/clean"
	"aspectop/loopback"
)

// badConnection means that there was no usable stream.
type badConnection struct {
	cause      string // identifies the problem, to notice changes
	words      string // what happened, to what, and what to do
	retryAfter time.Duration
}

func (b *badConnection) Error() string { return b.words }

// errNoMore means that the server will never send events.
var errNoMore = errors.New("no more events")

// connection is one request for the stream. Its goroutine puts what it reads into the
// queue; but for newest, the fields belong to the goroutine of [Stream.Run].
type connection struct {
	cancel   context.CancelFunc
	began    time.Time
	answered time.Time // zero before there is a stream
	newest   atomic.Pointer[time.Time]
}

// heard is when the newest byte came, or the answer, or else when the connection began.
func (c *connection) heard() time.Time {
	if at := c.newest.Load(); at != nil {
		return *at
	}
	if !c.answered.IsZero() {
		return c.answered
	}
	return c.began
}

// item is what a connection read.
type item struct {
	from *connection
	kind itemKind
	message
	retry time.Duration // that the server asked for; negative: none
	err   error         // of ended
}

type itemKind uint8

const (
	isEvent  itemKind = iota
	answered          // with a stream
	began             // its first byte came
	ended
)

// dial begins a connection that goes on from the stream's last id.
func (s *Stream) dial(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	c := &connection{cancel: cancel, began: time.Now()}
	s.open = append(s.open, c)
	last := s.last
	s.readers.Go(func() {
		defer cancel()
		retry, err := s.read(ctx, c, last)
		s.queue.put(ctx, item{from: c, kind: ended, retry: retry, err: err})
	})
}

// read reads a connection to its end. The error is a *badConnection if there was no usable
// stream.
func (s *Stream) read(ctx context.Context, c *connection, last string) (retry time.Duration, err error) {
	res, err := s.connect(ctx, last)
	if err != nil {
		return -1, err
	}
	defer res.Body.Close()
	s.queue.put(ctx, item{from: c, kind: answered, retry: -1})
	events := newEvents(&watched{res.Body, c, func() { s.queue.put(ctx, item{from: c, kind: began, retry: -1}) }}, last)
	for {
		m, err := events.next()
		if err == nil {
			s.queue.put(ctx, item{from: c, message: m, retry: events.retry})
			err = ctx.Err()
		}
		if err != nil {
			return events.retry, err
		}
	}
}

// ended describes how a stream ended.
func (s *Stream) ended(err error) error {
	end := s.plain(err)
	switch {
	case errors.As(err, new(*badConnection)), errors.Is(err, errNoMore):
		return err
	case errors.Is(err, errEndless):
		return &badConnection{cause: "endless", words: fmt.Sprintf("%s sent %v instead of events: check the URL of the stream", s.host, err)}
	case s.empty:
		return &badConnection{cause: "empty", words: s.host + " closed the event stream immediately"}
	case errors.Is(err, io.EOF):
		end = "the server closed the stream"
	}
	return fmt.Errorf("%s; reconnecting to %s", end, s.host)
}

// connect returns an answer that is an event stream. It waits for one without limit, as
// browsers do: a server, or a proxy before it, may send its header with the first event.
func (s *Stream) connect(ctx context.Context, last string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.c.URL, nil)
	if err != nil {
		return nil, &badConnection{cause: "url", words: s.plain(err)}
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("User-Agent", "aspectop")
	if !s.c.Key.Empty() {
		req.Header.Set("Authorization", "Bearer "+s.c.Key.Reveal())
	}
	if last != "" && !strings.ContainsFunc(last, isControl) { // no header can carry those
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, &badConnection{cause: "network", words: fmt.Sprintf("no answer from %s (%s): check the network and the URL of the stream", s.host, s.plain(err))}
	}
	if err := s.refusal(res); err != nil {
		res.Body.Close()
		bad, ok := errors.AsType[*badConnection](err)
		if via := loopback.Via(s.client.Transport, req); ok && via != "" {
			bad.words += "; the answer came through the proxy " + via + ", which the environment sets"
		}
		return nil, err
	}
	return res, nil
}

// refusal says why an answer is not a stream, nil if it is one.
func (s *Stream) refusal(res *http.Response) error {
	switch text := res.Header.Get("Content-Type"); res.StatusCode {
	case http.StatusNoContent:
		return errNoMore
	case http.StatusOK:
		if coding := res.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
			return &badConnection{cause: "coding", words: fmt.Sprintf(
				"%s answered with Content-Encoding %s, although none was accepted: turn compression off for the stream, at the server or the proxy before it", s.host, clean.Quoted(coding))}
		}
		if kind, _, err := mime.ParseMediaType(text); err == nil && kind == "text/event-stream" {
			return nil
		}
		answered := "no content type"
		if text != "" {
			answered = clean.Quoted(text)
		}
		return &badConnection{cause: "type", words: fmt.Sprintf(
			"%s answered with %s instead of an event stream (text/event-stream): check the URL of the stream", s.host, answered)}
	}
	advice := "retrying"
	switch next, err := res.Location(); {
	case res.StatusCode/100 == 3 && err == nil:
		advice = fmt.Sprintf("it redirects to %q, which is not followed; if that is the stream, use its URL", (&url.URL{Scheme: next.Scheme, Host: next.Host}).String())
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		advice = "check ASPECT_API_KEY"
		if s.c.Key.Empty() {
			advice = "no key was sent to it: ASPECT_API_KEY goes only to a stream at ASPECT_URL"
		}
	case res.StatusCode == http.StatusProxyAuthRequired:
		advice = "a proxy asks for a user and password, not the stream: give them in its variable, or name the host in NO_PROXY"
	case res.StatusCode == http.StatusNotFound, res.StatusCode == http.StatusGone, res.StatusCode == http.StatusMethodNotAllowed:
		advice = "check the URL of the stream"
	}
	return &badConnection{
		cause:      strconv.Itoa(res.StatusCode),
		words:      strings.TrimSpace(fmt.Sprintf("%s answered %d %s", s.host, res.StatusCode, http.StatusText(res.StatusCode))) + ": " + advice,
		retryAfter: min(aspect.RetryAfter(res.Header, time.Now()), maxRetryAfter),
	}
}

// plain is a network error without the URL and the key, which it may contain.
func (s *Stream) plain(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	text := err.Error()
	if !s.c.Key.Empty() {
		text = strings.ReplaceAll(text, s.c.Key.Reveal(), s.c.Key.Masked())
	}
	return text
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// watched notes when a connection's bytes come.
type watched struct {
	r     io.Reader
	c     *connection
	began func() // called on the first byte
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		now := time.Now()
		if w.c.newest.Swap(&now) == nil {
			w.began()
		}
	}
	return n, err
}

// queue holds what was read and is not handled, in the order in which it came: at most
// maxQueued bytes, and what exceeds them at last.
type queue struct {
	mu    sync.Mutex
	items []item
	bytes int
	news  chan struct{} // signals that there are items
	room  chan struct{} // closed when they are taken; nil if nobody waits
}

const maxQueued = 4 << 20

// put waits while the queue is full, until ctx ends.
func (q *queue) put(ctx context.Context, i item) {
	q.mu.Lock()
	for q.bytes > maxQueued {
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
		q.mu.Lock()
	}
	q.items = append(q.items, i)
	q.bytes += len(i.data) + 256
	q.mu.Unlock()
	broadcast.Nudge(q.news)
}

// take returns all items.
func (q *queue) take() []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	items := q.items
	q.items, q.bytes = nil, 0
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
	return items
}
