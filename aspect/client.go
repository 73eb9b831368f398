// Package aspect is the client of Aspect's REST API, and it holds the lease of
// the webhook endpoint that aspectop registers there.
//
// The [Client] makes the calls that Aspect documents: webhook endpoints,
// messages, delivery attempts, tasks and assets. Several answers have no
// published shape, so they are read leniently and every item keeps its JSON as
// it came. The [Registrar] creates an endpoint in such a way that a crash at
// any moment leaves a note on disk from which the next start cleans up.
//
// Nothing here runs by itself: without a call, nothing is asked of an account
// and nothing in it is changed. The package knows neither the journal nor the
// screen; what a task's JSON means is the business of package model.
package aspect

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultURL is where Aspect's API is, unless ASPECT_URL says otherwise.
const DefaultURL = "https://api.aspect.inc"

// Config says which account a [Client] speaks for.
type Config struct {
	BaseURL   string // http or https, without a query; empty: DefaultURL
	Key       Credential
	HTTP      *http.Client // nil: one of our own, through the environment's proxy
	UserAgent string       // empty: "aspectop"
}

// Client makes the calls of Aspect's API. All its methods may be used by many
// goroutines at once.
//
// A call tries up to four times, each for 20 seconds at most, and waits in
// between as the server asks or else about 0.5, 1 and 2 seconds. It tries again
// after 429 and 503, and after other 5xx and network errors where repeating
// does no harm (a POST is repeated only if it certainly did not arrive). Its
// errors are an [*APIError] for an answer that refuses, and sentences otherwise;
// none contains the key.
type Client struct {
	base      string // no slash at its end
	host      string
	key       Credential
	http      *http.Client
	userAgent string
}

// New checks the configuration. It makes no connection.
func New(c Config) (*Client, error) {
	if c.Key.Empty() {
		return nil, errors.New("no API key: set ASPECT_API_KEY to a key from Aspect's settings")
	}
	if strings.ContainsFunc(c.Key.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the API key contains a space, a line break or a non-ASCII character: " +
			"set ASPECT_API_KEY to one key, exactly as Aspect showed it")
	}
	if c.BaseURL == "" {
		c.BaseURL = DefaultURL
	}
	base, err := parseBase(c.BaseURL)
	if err != nil {
		return nil, err
	}
	if c.UserAgent == "" {
		c.UserAgent = "aspectop"
	}
	client := http.Client{Transport: NewTransport()}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = CheckRedirect
	return &Client{
		base:      strings.TrimRight(base.String(), "/"),
		host:      base.Host,
		key:       c.Key,
		http:      &client,
		userAgent: c.UserAgent,
	}, nil
}

// parseBase never quotes the text in its errors: with user:password@ in it, it
// would hold a credential.
func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil:
		return nil, fmt.Errorf("invalid ASPECT_URL: it must look like %s", DefaultURL)
	case base.User != nil:
		return nil, errors.New("ASPECT_URL must not contain a user or password; the API key is sent instead")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("ASPECT_URL must begin with https:// or http:// and a host, like %s", DefaultURL)
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("ASPECT_URL must not have a query or a fragment")
	}
	base.Host = strings.ToLower(base.Host)
	return base, nil
}

// NewTransport goes through the environment's proxy and notices dead connections.
func NewTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        4,
		IdleConnTimeout:     60 * time.Second,
		// After the machine slept, a dead connection is noticed and replaced.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}
}

// CheckRedirect follows only what stays on the same server and the same method
// (a slash at the end of a path). The key must not go elsewhere, and a POST that
// became a GET would be another call. Where it does not follow, the redirect
// itself is the answer.
func CheckRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host ||
		next.Method != first.Method || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	return nil
}
