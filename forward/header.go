package forward

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/sig"
)

// oldest is how old a signature may be that is passed on as it is. Handlers refuse it
// after five minutes; the rest is for transit and for their clock.
const oldest = 4 * time.Minute

// age is how long ago the delivery was signed; very long if that is not known.
func age(d *model.Delivery, at time.Time) time.Duration { return at.Sub(sig.Signed(d.Header)) }

// nameOfKey is the secret that a delivery came signed with, for hints.
func nameOfKey(d *model.Delivery) string {
	if d.Source != model.SourceWebhook {
		return "the first secret of ASPECT_WEBHOOK_SECRET"
	}
	return fmt.Sprintf("the secret that is called %q here", d.Secret)
}

// notPassedOn are headers about the connection by which the delivery came, or about the
// answer on it. All else that Svix, a proxy or the user's tunnel sent is passed on.
var notPassedOn = []string{
	// RFC 9110, section 7.6.1, and its forerunners
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
	// set by net/http
	"Host", "Content-Length", "Expect",
	// the answer is kept for people to read
	"Accept-Encoding",
}

func passOn(d *model.Delivery) http.Header {
	h := make(http.Header, len(d.Header))
	for name, values := range d.Header {
		for _, v := range values {
			// The relay's JSON, unlike HTTP, may hold what cannot be sent.
			if !strings.ContainsAny(v, "\r\n\x00") {
				h.Add(name, v)
			}
		}
	}
	for _, named := range h["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for _, name := range notPassedOn {
		h.Del(name)
	}
	if d.Source == model.SourceSSE { // its headers are not those of a request
		h = http.Header{"Content-Type": {"application/json"}}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = []string{""} // else net/http would name itself
	}
	return h
}

// aKey matches values that look like keys: a scheme of authentication, a JSON web token, a
// prefix that services give theirs, or 20 characters with letters and digits among them.
var aKey = regexp.MustCompile(`(?i)^(bearer|basic|digest|token)\s|^eyJ|^(whsec|sk|pk|rk|ghp|gho|xox.|glpat)[_-]|^[A-Za-z0-9+/_.=-]{20,}$`)

var aName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// ParseHeader reads "Name: value", a header that the user adds to requests. What holds a
// credential is refused, as others can see a command line; so are the headers of a
// signature and of the connection. An error never quotes the value.
func ParseHeader(text string) (name, value string, err error) {
	name, value, found := strings.Cut(text, ":")
	value = strings.TrimSpace(value)
	if !found {
		return "", "", errors.New(`a header has to look like "Name: value"`)
	}
	if name, err = HeaderName(name); err != nil {
		return "", "", err
	}
	if isCredential(name, value) {
		return "", "", fmt.Errorf("the header %s looks like a credential, which others could see here: put its value into a variable, and name that with header-env, %s=VARIABLE", name, name)
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return "", "", fmt.Errorf("the value of the header %s has a character that no header may have", name)
	}
	return name, value, nil
}

func isCredential(name, value string) bool {
	return clean.IsCredential(name) || aKey.MatchString(value) && strings.ContainsAny(value, "0123456789 ")
}

// HeaderName is the canonical name of a header that may be added to requests.
func HeaderName(name string) (string, error) {
	name = textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name))
	switch {
	case !aName.MatchString(name):
		return "", fmt.Errorf("%s is no name of a header", clean.Quoted(name))
	case strings.HasPrefix(name, "Svix-"), strings.HasPrefix(name, "Webhook-"), slices.Contains(notPassedOn, name):
		return "", fmt.Errorf("the header %s is set by aspectop", name)
	}
	return name, nil
}
