package aspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"aspectop/broadcast"
	"aspectop/loopback"
)

const (
	maxTries = 4
	tryTime  = 20 * time.Second
	// postGrace is how long to wait for the answer to a POST after the caller gave
	// up: only the answer names what was created.
	postGrace = 5 * time.Second

	// maxRetryAfter is the longest Retry-After that is waited for.
	maxRetryAfter = time.Minute

	maxBody      = 8 << 20
	maxErrorBody = 64 << 10
)

type call struct {
	method string
	path   string // escaped; errors show it without the query
	query  url.Values
	body   any // sent as JSON; nil for none

	outcome *outcome // filled in, if set
}

// outcome is more of what became of a call than its answer.
type outcome struct {
	status int  // of the 2xx answer
	lost   bool // an attempt before the last may have been carried out
}

// idempotent reports whether repeating the call does no harm.
func (c call) idempotent() bool { return c.method != http.MethodPost }

// do makes the call, with retries, and returns the body of the 2xx answer.
func (c *Client) do(ctx context.Context, r call) ([]byte, error) {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
	for n := 1; ; n++ {
		began := time.Now()
		answer, err := c.try(ctx, r, body)
		slog.Debug("aspect", "method", r.method, "path", r.path, "try", n, "took", time.Since(began), "err", err)
		if err == nil {
			return answer, nil
		}
		if n == maxTries || ctx.Err() != nil {
			return nil, err
		}
		if r.outcome != nil && !Undone(err) {
			r.outcome.lost = true
		}
		wait, again := retryDelay(r, err, n)
		if !again {
			return nil, err
		}
		if err := sleep(ctx, wait, err); err != nil {
			return nil, err
		}
	}
}

func (c *Client) try(ctx context.Context, r call, body []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, &networkError{call: r, host: c.host, err: err}
	}
	var seen progress
	// A POST can outlive the caller's context.
	tryCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tryTime)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if r.idempotent() || !seen.reached() {
			cancel()
			return
		}
		time.AfterFunc(postGrace, cancel)
	})
	defer stop()

	req, err := c.request(httptrace.WithClientTrace(tryCtx, seen.trace()), r, body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	var answer []byte
	if err == nil {
		defer res.Body.Close()
		if res.StatusCode/100 != 2 {
			refused := c.apiError(r, res)
			refused.via = loopback.Via(c.http.Transport, req)
			return nil, refused
		}
		answer, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1))
		if len(answer) > maxBody {
			return nil, fmt.Errorf("%s %s: the answer is larger than %d MiB: is ASPECT_URL right?", r.method, r.path, maxBody>>20)
		}
	}
	if err == nil {
		if r.outcome != nil {
			r.outcome.status = res.StatusCode
		}
		return c.withoutKey(answer), nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	} else if tryCtx.Err() != nil {
		err = errNoAnswer
	} else if strings.Contains(err.Error(), c.key.Reveal()) { // a malformed answer may echo it
		err = errors.New(c.clean(err.Error()))
	}
	return nil, &networkError{call: r, host: c.host, reached: seen.reached(), err: err}
}

// withoutKey masks our key in an answer that echoes it: raw JSON is kept and printed. A
// text too short for a key may be there by chance.
func (c *Client) withoutKey(answer []byte) []byte {
	if key := c.key.Reveal(); len(key) >= 16 {
		return bytes.ReplaceAll(answer, []byte(key), []byte(c.key.Masked()))
	}
	return answer
}

func (c *Client) request(ctx context.Context, r call, body []byte) (*http.Request, error) {
	target := c.base + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

type progress struct{ asked, connected atomic.Bool }

func (p *progress) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { p.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { p.connected.Store(true) },
	}
}

// reached reports whether the server may have received the request. A transport
// without tracing counts as having sent it.
func (p *progress) reached() bool { return !p.asked.Load() || p.connected.Load() }

// retryDelay says whether to try again after the nth failure, and after how
// long.
func retryDelay(r call, err error, n int) (time.Duration, bool) {
	if refused, ok := errors.AsType[*APIError](err); ok {
		if !refused.temporary(r) || refused.RetryAfter > maxRetryAfter {
			return 0, false
		}
		return max(refused.RetryAfter, backoff(n)), true
	}
	broken, ok := errors.AsType[*networkError](err)
	return backoff(n), ok && broken.temporary()
}

// sleep waits before a retry. It fails with the last error if there is no time left.
func sleep(ctx context.Context, d time.Duration, last error) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return fmt.Errorf("%w (no time left to try again)", last)
	}
	if err := broadcast.Sleep(ctx, d); err != nil {
		return fmt.Errorf("%w (no further attempt: %w)", last, err)
	}
	return nil
}

// backoff is the pause after the nth failure: 0.5 s, doubled each time, ±50 percent.
func backoff(n int) time.Duration {
	base := 500 * time.Millisecond << (n - 1)
	return base/2 + rand.N(base)
}

// RetryAfter parses the header, which is seconds or a date; zero if there is none.
// A date is relative to the answer's Date, if present.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if sent, err := http.ParseTime(h.Get("Date")); err == nil {
		now = sent
	}
	return max(0, until.Sub(now))
}
