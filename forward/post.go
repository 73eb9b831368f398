package forward

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aspectop/clean"
)

const (
	// timeLimit is how long a handler may take to answer: as long as Svix lets it.
	timeLimit = 15 * time.Second
	// bodyLimit is how much of an answer's body is read, in bytes.
	bodyLimit = 64 << 10
	// maxInFlight is how many requests one Forwarder makes at a time.
	maxInFlight = 16
)

// errTimeout is why a request is ended after timeLimit.
var errTimeout = errors.New("no answer within " + timeLimit.String())

// client makes all requests as Svix does: HTTP/1.1, no redirect followed.
var client = &http.Client{
	Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: timeLimit}).DialContext,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
		MaxIdleConnsPerHost:    maxInFlight,
		IdleConnTimeout:        4 * time.Second, // Node's server closes after 5
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// target is a handler's address.
type target struct {
	url *url.URL
	// key tells it from others. It is a hash, as the address may hold
	// credentials and the journal must not.
	key string
	// shown is the address for people, without what may be a credential.
	shown string
}

// parseTarget never quotes the text in an error, for the credentials in it.
func parseTarget(text string) (*target, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the URL to forward to cannot be read; give it as http://host:port/path")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the URL to forward to has to begin with http:// or https://")
	case u.Host == "" || u.Hostname() == "":
		return nil, errors.New("the URL to forward to names no host; give it as http://host:port/path")
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	sum := sha256.Sum256([]byte(u.String()))
	return &target{url: u, key: hex.EncodeToString(sum[:]), shown: clean.URL(u.String())}, nil
}

// answer is what a handler said to one request.
type answer struct {
	began   time.Time
	latency time.Duration // until the headers, or until err
	status  int           // 0 if err is set
	header  http.Header
	body    []byte // at most bodyLimit
	err     error
}

// post makes one request. It returns within timeLimit whatever the handler does,
// and earlier if ctx ends.
func (t *target) post(ctx context.Context, c *http.Client, h http.Header, body []byte) (a answer) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, errTimeout)
	defer cancel()
	a.began = time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.String(), bytes.NewReader(body))
	if err != nil {
		a.err = cause(ctx, err)
		return a
	}
	request.Header = h
	if u := t.url.User; u != nil {
		password, _ := u.Password()
		request.SetBasicAuth(u.Username(), password)
	}
	response, err := c.Do(request)
	a.latency = time.Since(a.began)
	if err != nil {
		a.err = cause(ctx, err)
		return a
	}
	defer response.Body.Close() // with the connection, if there is more to read
	a.status, a.header = response.StatusCode, response.Header
	// The status decides; a body that breaks off or never ends is kept as far
	// as it came.
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

// delivered reports whether the handler took it.
func (a *answer) delivered() bool { return a.status >= 200 && a.status < 300 }

// refused reports whether there was nobody to say no: what is true of one
// message then is true of all.
func (a *answer) refused() bool {
	e, ok := errors.AsType[*net.OpError](a.err)
	return ok && e.Op == "dial"
}

// hopeless reports whether another try would be answered alike.
func (a *answer) hopeless() bool {
	switch a.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return a.status >= 400 && a.status < 500
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

// words says why the message was not delivered.
func (a *answer) words() string {
	switch text := http.StatusText(a.status); {
	case a.err != nil:
		return a.err.Error()
	case a.delivered():
		return ""
	case text == "":
		return "answered " + strconv.Itoa(a.status)
	default:
		return "answered " + strconv.Itoa(a.status) + " " + text
	}
}
