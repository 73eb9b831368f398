package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
)

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
	return &target{url: u, key: hex.EncodeToString(sum[:]), shown: redact(u)}, nil
}

// redact gives the URL without user info, which may be a token even where there
// is no password, and without the values of its query.
func redact(u *url.URL) string {
	c := *u
	c.User = nil
	if c.RawQuery != "" {
		c.RawQuery = "…"
	}
	return c.String()
}
