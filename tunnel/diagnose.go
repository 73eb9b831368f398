package tunnel

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aspectop/clean"
)

// answer is what came back for a probe.
type answer struct {
	status   int
	location string // of a redirect
	body     []byte // its start
}

func (a *answer) fine() bool { return 200 <= a.status && a.status < 300 }

func (a *answer) has(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool { return bytes.Contains(a.body, []byte(text)) })
}

// diagnose says what an answer and the arrival, nil if there was none, tell about the
// way, "" if all is well.
func (f *flight) diagnose(a answer, l *landing) string {
	host := f.host
	inPlace := fmt.Sprintf("%s answers %d in our place: what is rejected or lost here, Svix will never send again", host, a.status)
	switch {
	case l == nil:
		return a.foreign(f)
	case l.fault != "" && a.fine():
		return l.fault + "; and " + inPlace
	case l.fault != "":
		return l.fault
	case a.fine() && (a.status != http.StatusNoContent && !f.anyStatus || l.at.UnixNano() > f.answered.Load()): // the receiver answers 204
		return "edge: the probe arrived here, but " + inPlace
	case a.fine():
		return ""
	}
	return fmt.Sprintf("edge: the probe arrived here, but %s answered %d in our place; the answer was lost on the way back", host, a.status)
}

// foreign says what an answer means to a probe that did not arrive here.
func (a *answer) foreign(f *flight) string {
	host, path, local := f.host, clean.Line(f.path), f.local
	say := func(format string, more ...any) string { return fmt.Sprintf(format, more...) }
	switch code := a.status; {
	case a.fine():
		return say("origin: %s answered %d, and nothing arrived here: another program receives requests to it, or its tunnel does not lead to %s",
			host, code, local)
	case 300 <= code && code < 400:
		return a.redirect(f)
	case code == http.StatusBadRequest && a.has("plain HTTP request was sent to HTTPS", "HTTP request to an HTTPS server", "speaking plain HTTP to an SSL"):
		return onlyTLS(host)
	case code == http.StatusBadRequest && a.has("Svix headers", "Invalid signature"):
		return say("origin: %s leads to another receiver of webhooks, which answered 400, and not to %s", host, local)
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		return say("edge: %s denies access (%d) before anything arrives here, and Svix cannot log in; remove the access rule for %s", host, code, path)
	case code == http.StatusNotFound || code == http.StatusGone:
		return say("tunnel: %s answered %d itself, and nothing arrived here: is the tunnel's client running, and does %s lead to %s?", host, code, path, local)
	case code == http.StatusMethodNotAllowed:
		return say("edge: %s does not take POST for %s (405), and nothing arrived here", host, path)
	case code == http.StatusRequestEntityTooLarge:
		return say("edge: %s refuses a body of %d bytes (413); raise its limit for bodies to 1 MiB", host, len(f.body))
	case code == http.StatusTooManyRequests:
		return say("edge: %s is rate limiting requests (429)", host)
	case code == 530 || code >= 500 && a.has("1033"): // Cloudflare Tunnel error
		return say("edge: Cloudflare has no connected tunnel for %s (530, error 1033)", host)
	case code == http.StatusBadGateway || code == http.StatusServiceUnavailable:
		return say("tunnel: %s answered %d, and nothing arrived here; check its target, which must be %s", host, code, local)
	case code == http.StatusGatewayTimeout || code == 522 || code == 524:
		return say("timeout: %s got no answer (%d), and nothing arrived here; the tunnel behind it hangs", host, code)
	case code >= 500:
		return say("edge: %s answered %d, and nothing arrived here", host, code)
	}
	return say("origin: %s answered %d, and nothing arrived here; another program has this URL", host, a.status)
}

func onlyTLS(host string) string {
	return fmt.Sprintf("TLS: this port of %s takes only TLS; use https://%[1]s", host)
}

// redirect says where a redirect leads. Only one to the same path can be the webhook's own
// address; most others are to a login page.
func (a *answer) redirect(f *flight) string {
	host, path := f.host, f.path
	to, err := f.to.Parse(a.location)
	if a.location == "" || err != nil {
		return fmt.Sprintf("edge: %s answered %d without an address, and nothing arrived here", host, a.status)
	}
	shown := clean.Cut(clean.Line((&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()), 100)
	if to.RawQuery == "" && strings.TrimSuffix(to.EscapedPath(), "/") == strings.TrimSuffix(path, "/") {
		return fmt.Sprintf("edge: %s redirects to %s (%d); Svix does not follow redirects, so use that URL", host, shown, a.status)
	}
	return fmt.Sprintf("edge: %s redirects to another page, %s (%d), as for a login; Svix does not follow redirects and cannot log in:"+
		" exempt %s from that rule", host, shown, a.status, clean.Line(path))
}
