// Package aspect is a client of Aspect's REST API, and keeps the lease of the webhook
// endpoint that aspectop registers there. The formats of several answers are not
// documented, so the [Client] parses them leniently, and every item keeps its raw JSON.
// [Leases] creates an endpoint so that a crash at any moment leaves a lease on disk, by
// which the next run cleans up. Without a call nothing in the account is read or changed.
package aspect

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
)

// DefaultURL is the base URL of Aspect's API.
const DefaultURL = "https://api.aspect.inc"

// Config configures a [Client].
type Config struct {
	BaseURL   string // http or https, without a query; empty: DefaultURL
	Key       Credential
	HTTP      *http.Client // nil: a client that uses NewTransport
	UserAgent string       // empty: "aspectop"
}

// Client calls Aspect's API. Its methods are safe for concurrent use.
//
// A call makes up to four attempts of at most 20 seconds, with pauses that the server asks
// for, or else about 0.5, 1 and 2 seconds. It retries after 429 and 503, and after other
// 5xx and network errors if that is safe (a POST only if it certainly did not arrive). If
// the API refuses a call, the error is an [*APIError]. No error contains the key.
type Client struct {
	base      string // without a trailing slash
	host      string
	origin    string
	key       Credential
	http      *http.Client
	userAgent string
}

// New validates the configuration. It does not connect.
func New(c Config) (*Client, error) {
	if c.Key.Empty() {
		return nil, errors.New("no API key: set ASPECT_API_KEY to a key from Aspect's settings")
	}
	if strings.ContainsFunc(c.Key.Reveal(), func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the API key contains a space, a line break or a non-ASCII character: " +
			"set ASPECT_API_KEY to one key, exactly as Aspect showed it")
	}
	if strings.HasPrefix(c.Key.Reveal(), "whsec_") {
		return nil, errors.New("ASPECT_API_KEY contains a webhook's signing secret (whsec_…), which nobody else may see: " +
			"put it into ASPECT_WEBHOOK_SECRET, and an API key here")
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
		origin:    originOf(base),
		key:       c.Key,
		http:      &client,
		userAgent: c.UserAgent,
	}, nil
}

// parseBase does not quote the text in its errors: it may contain user:password@.
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

// At reports whether a URL is on the API's own server, the only one that may get the key.
func (c *Client) At(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && originOf(u) == c.origin
}

// originOf is the scheme, host and port of a URL, with the default port if it has none.
func originOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// NewTransport goes through the environment's proxy and notices dead connections.
func NewTransport() *http.Transport {
	return loopback.Route(&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        4,
		IdleConnTimeout:     60 * time.Second,
		// Pings detect connections that died while the machine was asleep.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second},
	}, &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second})
}

// CheckRedirect follows only redirects to the same server with the same method, such as
// an added trailing slash: the key must not go elsewhere, nor a POST become a GET.
func CheckRedirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	if next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host ||
		next.Method != first.Method || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	return nil
}

// Credential is an API key or a signing secret. Printed, logged or encoded it is
// [Credential.Masked]; only [Credential.Reveal] returns the text. The zero Credential is
// empty.
type Credential struct {
	text *string // fmt prints the address where it cannot call the methods below: in unexported fields
}

// NewCredential removes what surrounds a key by copying: white space and invisible
// characters.
func NewCredential(text string) Credential {
	text = strings.TrimSpace(clean.Text(text))
	if text == "" {
		return Credential{}
	}
	return Credential{text: &text}
}

// Reveal returns the text. Do not pass it to anything that prints.
func (c Credential) Reveal() string {
	if c.text == nil {
		return ""
	}
	return *c.text
}

// Empty reports whether there is no text.
func (c Credential) Empty() bool { return c.text == nil }

// Masked shows at most the last four characters, and none of a short text.
func (c Credential) Masked() string {
	text := c.Reveal()
	switch {
	case text == "":
		return "(none)"
	case len(text) < 16:
		return "****"
	}
	return "****" + text[len(text)-4:]
}

// fingerprint distinguishes keys without revealing them.
func (c Credential) fingerprint() string {
	sum := sha256.Sum256([]byte(c.Reveal()))
	return hex.EncodeToString(sum[:8])
}

func (c Credential) String() string   { return c.Masked() }
func (c Credential) GoString() string { return c.Masked() }

// Format covers all verbs of fmt, including %x and %d.
func (c Credential) Format(s fmt.State, _ rune) { io.WriteString(s, c.Masked()) }

func (c Credential) LogValue() slog.Value { return slog.StringValue(c.Masked()) }

// MarshalText covers JSON, XML and the other encodings.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.Masked()), nil }
