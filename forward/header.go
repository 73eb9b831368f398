package forward

import (
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
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
	case strings.HasPrefix(name, "Svix-"), strings.HasPrefix(name, "Webhook-"), model.OfConnection(name):
		return "", fmt.Errorf("the header %s is set by aspectop", name)
	}
	return name, nil
}
