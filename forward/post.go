package forward

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aspectop/aspect"
	"aspectop/clean"
	"aspectop/journal"
	"aspectop/loopback"
	"aspectop/model"
	"aspectop/sig"
	"aspectop/words"
)

const (
	timeLimit   = 15 * time.Second // until the answer, as at Svix
	bodyLimit   = 64 << 10         // of an answer that is read, in bytes
	maxInFlight = 16               // requests of one Forwarder
)

// ErrTimeout is the error of a handler that does not answer.
var ErrTimeout = errors.New("no answer within " + timeLimit.String())

// Handler is a target that can be posted to, with what is known of it. It may be used by
// any number of goroutines.
type Handler struct {
	url     *url.URL
	headers http.Header
	key     string // in the journal: a hash, because the address may hold credentials
	shown   string // without credentials
	lines   pool
	known   known

	mu   sync.Mutex
	said string // where it was found, see hint
}

// NewHandler never quotes the URL in an error: it may hold credentials.
func NewHandler(t Target) (*Handler, error) {
	u, err := ParseURL(t.URL)
	if err != nil {
		return nil, err
	}
	return &Handler{
		url: u, headers: t.Headers, key: hashed(t.Key()), shown: clean.URL(u.String()),
		lines: pool{open: func() http.RoundTripper { return newLine(t.Insecure) }},
	}, nil
}

func hashed(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:])
}

// isOf reports whether an earlier version kept the handler's queue there: under the address
// as it was written, of which the journal has all but the query.
func (h *Handler) isOf(t journal.ForwardTarget) bool {
	address := t.URL
	if bare, ok := strings.CutSuffix(address, "?…"); ok {
		address = bare + "?" + h.url.RawQuery
	}
	old := Target{URL: address}
	return t.Key == hashed(address) && hashed(old.Key()) == h.key
}

// Post is one message to a handler.
type Post struct {
	Header http.Header // with the signature
	Body   []byte
	// Key completes "the handler has to verify with …", "" for a message that is to be
	// refused: its answer tells nothing about the handler.
	Key string
}

// Answer is a handler's to one message.
type Answer struct {
	Status  int // 0 if Err is set
	Header  http.Header
	Body    []byte        // at most 64 KiB
	Latency time.Duration // until the headers, or until Err
	Err     error
	Said    string // what the handler says itself; see [clean.Said]
	Broken  error  // why Body is not whole, nil if it is
	Fault   string // the same in words, "" too where ctx ended
	Hint    string // what to look at, "" if there is nothing to say
	Posts   int    // how often the message was posted: twice if a kept connection broke

	Reused bool // the connection had been used before

	began time.Time
	found string // what [loopback.Found] says
	via   string // the proxy it came through, "" if none
	begun bool   // the first byte of an answer came
}

// Post posts a message, within timeLimit, or until ctx ends. A kept connection that breaks
// before the first byte of an answer says nothing about the handler: the message is posted
// once more, on a new one.
func (h *Handler) Post(ctx context.Context, p Post) Answer {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, ErrTimeout)
	defer cancel()
	began := time.Now()
	post := func(line http.RoundTripper) Answer {
		a := h.Once(ctx, line, &p)
		h.lines.done(line, a.delivered() && a.Fault == "")
		return a
	}
	a := post(h.lines.take())
	a.Posts = 1
	if a.Err != nil && a.Reused && !a.begun && ctx.Err() == nil {
		a = post(h.lines.open())
		a.Posts = 2
	}
	a.began = began
	a.Hint = h.judge(&p, &a)
	return a
}

// Once posts a message by a transport, whatever happens to its connection, within timeLimit,
// or until ctx ends. The answer has no hint.
func (h *Handler) Once(ctx context.Context, line http.RoundTripper, p *Post) (a Answer) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, ErrTimeout)
	defer cancel()
	began := time.Now()
	var begun atomic.Bool // set by another goroutine
	defer func() { a.begun = begun.Load() }()
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(c httptrace.GotConnInfo) {
			a.found, a.Reused = loopback.Found(h.url.Hostname(), c.Conn.RemoteAddr()), c.Reused
		},
		GotFirstResponseByte: func() { begun.Store(true) },
	})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, h.url.String(), bytes.NewReader(p.Body))
	if err != nil {
		a.Err = cause(ctx, err)
		return a
	}
	request.Header = p.Header.Clone()
	for name, values := range h.headers {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	a.via = loopback.Via(line, request)
	client := http.Client{Transport: line, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	a.Latency = time.Since(began)
	if err != nil {
		a.Err = cause(ctx, err)
		return a
	}
	defer response.Body.Close() // closes the connection if there is more to read
	a.Status, a.Header = response.StatusCode, response.Header
	// The status decides; of a body that breaks off or never ends, its start is kept.
	if a.Body, err = io.ReadAll(io.LimitReader(response.Body, bodyLimit)); err != nil {
		a.Broken = cause(ctx, err)
		a.Fault = bodyFault(a.Broken, len(a.Body), response.ContentLength)
	}
	a.Body = h.redact(a.Body)
	a.Said = clean.Said(a.Header.Get("Content-Type"), a.Body)
	return a
}

// redact takes the credentials that the user adds to requests out of an answer that echoes
// them. A text too short for one may be there by chance.
func (h *Handler) redact(answer []byte) []byte {
	for name, values := range h.headers {
		for _, value := range values {
			for word := range strings.FieldsSeq(value) {
				if isCredential(name, value) && len(word) >= 8 {
					answer = bytes.ReplaceAll(answer, []byte(word), []byte(clean.Redacted))
				}
			}
		}
	}
	return answer
}

func bodyFault(err error, got int, announced int64) string {
	switch {
	case errors.Is(err, ErrTimeout):
		return fmt.Sprintf("the body of its answer does not end: %s came, and no end within %s", words.Count(got, "byte", "bytes"), timeLimit)
	case errors.Is(err, context.Canceled), errors.Is(err, errDrained):
		return ""
	case announced > 0:
		return fmt.Sprintf("the body of its answer breaks off after %d of %d bytes", got, announced)
	}
	return "the body of its answer breaks off after " + words.Count(got, "byte", "bytes")
}

// post posts a delivery, signed under the id unless sign is nil. key is the name of the
// secret that the handler has to verify with.
func (h *Handler) post(ctx context.Context, d *model.Delivery, id string, sign sig.Signer, key string) (model.Forward, Answer) {
	headers := http.Header(d.PassedOn())
	if _, ok := headers["User-Agent"]; !ok {
		headers["User-Agent"] = []string{""} // else net/http would name itself
	}
	if sign != nil {
		sig.Seal(headers, id, time.Now(), d.Body, sign)
	}
	a := h.Post(ctx, Post{Header: headers, Body: d.Body, Key: key})
	return model.Forward{
		Seq: d.Seq, To: h.shown, At: a.began.UTC(), Status: a.Status, Latency: a.Latency, Tries: a.Posts,
		Resigned: sign != nil, Final: a.delivered() || a.hopeless(),
		Error: a.words(), Hint: a.Hint, Answer: a.Said, Body: a.Body,
	}, a
}

// cause is err without the method and the URL, or why ctx has ended.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// accepted reports whether a handler took the message, and no page of its server.
func (a *Answer) accepted() bool { return a.delivered() && a.Fault == "" && !a.IsHTML() }

func (a *Answer) delivered() bool { return a.Status >= 200 && a.Status < 300 }

// Refused reports whether there was no connection: that is true of all messages.
func (a *Answer) Refused() bool {
	e, ok := errors.AsType[*net.OpError](a.Err)
	return ok && (e.Op == "dial" || e.Op == "proxyconnect")
}

// untrusted reports whether the handler's certificate is not trusted: that is true of all
// messages too, until it is mended.
func (a *Answer) untrusted() bool {
	_, is := errors.AsType[*tls.CertificateVerificationError](a.Err)
	return is
}

// hopeless reports whether another try would be answered alike. What a proxy refuses says
// nothing about the handler.
func (a *Answer) hopeless() bool {
	switch a.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusProxyAuthRequired:
		return false
	}
	return a.Status >= 400 && a.Status < 500
}

// retryAfter is how long the handler asks to wait, 0 if it does not.
func (a *Answer) retryAfter() time.Duration {
	return aspect.RetryAfter(a.Header, a.began.Add(a.Latency))
}

// words says why the message was not delivered, "" if it was.
func (a *Answer) words() string {
	switch {
	case a.Err != nil:
		return a.Err.Error()
	case a.delivered():
		return ""
	}
	return strings.TrimSpace(fmt.Sprint("answered ", a.Status, " ", http.StatusText(a.Status)))
}
