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
	"time"

	"aspectop/aspect"
	"aspectop/clean"
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

var errIdle = fmt.Errorf("nothing received for %v", idleLimit)

// read connects once and stores events until the connection ends. The error is a
// *badConnection if there was no usable stream.
func (s *Stream) read(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(idleLimit, func() { cancel(errIdle) })
	defer idle.Stop()

	res, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	begun := time.Now()
	body := &watched{r: res.Body, idle: idle, began: s.connected}
	if !s.empty {
		s.connected() // a quiet stream may send nothing for a long time
	}
	events := newEvents(body, s.last)
	for {
		m, err := events.next()
		if events.retry >= 0 {
			s.retry = min(max(events.retry, minReconnect), lastRetry)
		}
		if err != nil {
			s.empty = !body.some && time.Since(begun) < soon
			return s.ended(ctx, err)
		}
		switch {
		case m.tooLarge:
			s.report.note(fmt.Sprintf("skipped an event larger than %d MiB", maxEvent>>20))
		case len(m.data) > 0:
			s.store(ctx, m)
			if ctx.Err() != nil {
				return ctx.Err() // it may not have been stored
			}
			s.connected()
		}
		s.last = m.id
	}
}

func (s *Stream) connected() { s.report.ok("connected to "+s.host, time.Time{}) }

// ended describes how a stream ended.
func (s *Stream) ended(ctx context.Context, err error) error {
	end := s.plain(err)
	switch {
	case errors.Is(err, errEndless):
		return &badConnection{cause: "endless", words: fmt.Sprintf("%s sent %v instead of events: check the URL of the stream", s.host, err)}
	case s.empty:
		return &badConnection{cause: "empty", words: s.host + " closed the event stream immediately"}
	case errors.Is(context.Cause(ctx), errIdle):
		end = errIdle.Error()
	case errors.Is(err, io.EOF):
		end = "the server closed the stream"
	}
	return fmt.Errorf("%s; reconnecting to %s", end, s.host)
}

// connect returns an answer that is an event stream.
func (s *Stream) connect(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.c.URL, nil)
	if err != nil {
		return nil, &badConnection{cause: "url", words: s.plain(err)}
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cache-Control", "no-cache")
	req.Header.Set("User-Agent", "aspectop")
	if !s.c.Key.Empty() {
		req.Header.Set("Authorization", "Bearer "+s.c.Key.Reveal())
	}
	if s.last != "" && !strings.ContainsFunc(s.last, isControl) { // no header can carry those
		req.Header.Set("Last-Event-ID", s.last)
	}
	res, err := s.client.Do(req)
	if err != nil {
		if errors.Is(context.Cause(ctx), errIdle) {
			err = errIdle
		}
		return nil, &badConnection{cause: "network", words: fmt.Sprintf("no answer from %s (%s): check the network and the URL of the stream", s.host, s.plain(err))}
	}
	if err := s.refusal(res); err != nil {
		res.Body.Close()
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

// watched runs the idle timer only while it waits for data, not while the journal is
// busy.
type watched struct {
	r     io.Reader
	idle  *time.Timer
	began func() // called on the first data
	some  bool   // data was received
}

func (w *watched) Read(p []byte) (int, error) {
	w.idle.Reset(idleLimit)
	n, err := w.r.Read(p)
	w.idle.Stop()
	if n > 0 && !w.some {
		w.some = true
		w.began()
	}
	return n, err
}
