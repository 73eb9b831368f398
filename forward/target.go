package forward

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"aspectop/feed"
)

// Target is one of the user's handlers, and what requests to it carry.
type Target struct {
	// URL is its address, as [ParseURL] takes it. The queue is kept by it.
	URL  string
	Name string // for display, "" for none
	// Headers are added to each request, in place of those that were received.
	Headers http.Header
	// Insecure accepts any certificate.
	Insecure bool
	// Filter decides whether the handler gets an arrival, when it is read for it; nil
	// takes all. What is left out is not forwarded later.
	Filter func(*feed.Arrival) bool
}

// Key is the address as such are compared by RFC 3986 (6.2.2, 6.2.3): the case of the host,
// the scheme's own port, escapes that need not be and dots in the path make no difference.
// It is "" if ParseURL refuses the address.
func (t *Target) Key() string {
	u, err := ParseURL(t.URL)
	if err != nil {
		return ""
	}
	u = u.ResolveReference(u) // without dots
	u.Host = strings.ToLower(u.Host)
	if port := u.Port(); port == "" || u.Scheme+port == "http80" || u.Scheme+port == "https443" {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	return escape.ReplaceAllStringFunc(u.String(), func(text string) string {
		if c, _ := url.PathUnescape(text); unreserved.MatchString(c) {
			return c
		}
		return strings.ToUpper(text)
	})
}

var (
	escape     = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	unreserved = regexp.MustCompile(`^[\w.~-]$`)
)

var (
	shortURL = regexp.MustCompile(`^([\w.-]+|\[[0-9A-Fa-f:.]+\])?:\d+([/?#]|$)`)
	bareHost = regexp.MustCompile(`(?i)^localhost([/?#]|$)`)
	onlyPort = regexp.MustCompile(`^\d+([/?#]|$)`)
)

// ParseURL reads a handler's address: an http or https URL, or without a scheme
// host:port/path, localhost/path, or :port/path for this machine, which are http. The
// path is at least "/", and there is no fragment. A user or a password is refused. An
// error never quotes the text, which may hold credentials.
func ParseURL(text string) (*url.URL, error) {
	authority := text
	if _, after, ok := strings.Cut(text, "://"); ok {
		authority = after
	}
	if i := strings.IndexAny(authority, "/?#"); i >= 0 {
		authority = authority[:i]
	}
	switch {
	case strings.Contains(authority, "@"):
		return nil, errors.New("a user or password in the URL would be visible to others; take it out, and name a variable that holds the header Authorization with header-env (of check, or of a [[forward]] in the config file)")
	case onlyPort.MatchString(text):
		return nil, errors.New("the URL of the handler names no host; for a port on this machine, put a colon before it, such as :3000")
	case shortURL.MatchString(text), bareHost.MatchString(text):
		if text[0] == ':' {
			text = "localhost" + text
		}
		text = "http://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, errors.New("the URL of the handler cannot be read; give it as http://host:port/path")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the URL of the handler has to begin with http:// or https://")
	case u.Hostname() == "":
		return nil, errors.New("the URL of the handler names no host; give it as http://host:port/path")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, errors.New("the port in the URL of the handler is not between 1 and 65535")
		}
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}
