package forward

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/model"
	"aspectop/sig"
)

const (
	timeLimit   = 15 * time.Second // until the answer, as at Svix
	bodyLimit   = 64 << 10         // of an answer that is read, in bytes
	maxInFlight = 16               // requests of one Forwarder
)

var errTimeout = errors.New("no answer within " + timeLimit.String())

// client makes all requests as Svix does: HTTP/1.1, no redirect followed.
var client = &http.Client{
	Transport: loopback.Route(&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    maxInFlight,
		IdleConnTimeout:        4 * time.Second, // Node's server closes after 5
	}, &net.Dialer{Timeout: timeLimit}),
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// target is a handler's address.
type target struct {
	url    *url.URL
	key    string // in the journal: a hash, because the address may hold credentials
	shown  string // without credentials
	client *http.Client

	mu   sync.Mutex
	said string // where it was found, see hint
}

func parseTarget(of Target) (*target, error) {
	u, err := ParseURL(of.URL)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(u.String()))
	return &target{url: u, key: hex.EncodeToString(sum[:]), shown: clean.URL(u.String()), client: client}, nil
}

// answer is a handler's to one request.
type answer struct {
	began   time.Time
	latency time.Duration // until the headers, or until err
	status  int           // 0 if err is set
	header  http.Header
	body    []byte // at most bodyLimit
	err     error
	found   string // what [loopback.Found] says
}

// post makes one request with a delivery, signed under the id unless sign is nil. It
// returns within timeLimit, and earlier if ctx ends. key is the name, for a hint, of the
// secret that the handler has to verify with. The outcome does not count tries.
func (t *target) post(ctx context.Context, d *model.Delivery, id string, sign Signer, key string) (model.Forward, answer) {
	h := passOn(d)
	if sign != nil {
		sig.Seal(h, id, time.Now(), d.Body, sign)
	}
	a := t.request(ctx, h, d.Body)
	return model.Forward{
		Seq: d.Seq, To: t.shown, At: a.began.UTC(), Status: a.status, Latency: a.latency,
		Resigned: sign != nil, Final: a.delivered() || a.hopeless(),
		Error: a.words(), Hint: t.hint(&a, d, key), Body: a.body,
	}, a
}

func (t *target) request(ctx context.Context, h http.Header, body []byte) (a answer) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, errTimeout)
	defer cancel()
	a.began = time.Now()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		a.found = loopback.Found(t.url.Hostname(), c.Conn.RemoteAddr())
	}})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		a.err = cause(ctx, err)
		return a
	}
	request.Header = h
	response, err := t.client.Do(request)
	a.latency = time.Since(a.began)
	if err != nil {
		a.err = cause(ctx, err)
		return a
	}
	defer response.Body.Close() // closes the connection if there is more to read
	a.status, a.header = response.StatusCode, response.Header
	// The status decides; of a body that breaks off or never ends, its start is kept.
	a.body, _ = io.ReadAll(io.LimitReader(response.Body, bodyLimit))
	return a
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

func (a *answer) delivered() bool { return a.status >= 200 && a.status < 300 }

// refused reports whether there was no connection: that is true of all messages.
func (a *answer) refused() bool {
	e, ok := errors.AsType[*net.OpError](a.err)
	return ok && e.Op == "dial"
}

// hopeless reports whether another try would be answered alike.
func (a *answer) hopeless() bool {
	return a.status >= 400 && a.status < 500 && a.status != http.StatusRequestTimeout && a.status != http.StatusTooManyRequests
}

// retryAfter is how long the handler asks to wait, 0 if it does not.
func (a *answer) retryAfter() time.Duration {
	text := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(a.began.Add(a.latency)))
	}
	return 0
}

// words says why the message was not delivered, "" if it was.
func (a *answer) words() string {
	switch {
	case a.err != nil:
		return a.err.Error()
	case a.delivered():
		return ""
	}
	return strings.TrimSpace(fmt.Sprint("answered ", a.status, " ", http.StatusText(a.status)))
}
