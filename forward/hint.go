package forward

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/model"
)

// hint says in a sentence what to look at, "" if there is nothing to say. key completes
// "the handler has to verify with …".
func (t *target) hint(a *answer, d *model.Delivery, key string) string {
	return strings.TrimPrefix(t.answerHint(a, d, key)+t.foundHint(a), "; ")
}

// foundHint says where the handler was found, whenever that changes.
func (t *target) foundHint(a *answer) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.status == 0 || a.found == t.said {
		return ""
	}
	if t.said = a.found; a.found == "" {
		return ""
	}
	return "; " + a.found
}

func (t *target) answerHint(a *answer, d *model.Delivery, key string) string {
	if a.err != nil {
		return t.failureHint(a.err)
	}
	switch {
	case a.delivered():
		if a.isHTML() {
			return "the answer is an HTML page" + a.title() + ": is this the route of your handler, or a page of its server?"
		}
		return ""
	case a.status >= 300 && a.status < 400:
		return "redirects are not followed, by Svix neither: give the final address" + quoted(" (it points to %s)", a.header.Get("Location")) +
			"; often a slash at the end is missing, or https"
	case a.speaksTLS():
		return "the handler speaks TLS: forward to https://" + t.url.Host
	}
	text := t.statusHint(a, d, key)
	switch {
	case !a.isHTML():
		return text
	case text == "":
		return "the answer is an HTML error page" + a.title() + " of the server or its framework, not of your handler"
	}
	return text + "; the answer is an HTML page" + a.title() + ", so it may be the framework's and not your handler's"
}

func (t *target) statusHint(a *answer, d *model.Delivery, key string) string {
	aboutSignature := "is the raw body verified, before anything parses it? and with the right secret? the handler has to verify with " + key
	switch a.status {
	case http.StatusBadRequest:
		return aboutSignature
	case http.StatusUnauthorized, http.StatusForbidden:
		if a.mentionsSignature() {
			return aboutSignature
		}
		return "the route is protected: let it pass the authentication (and CSRF) middleware, its signature proves where it comes from"
	case http.StatusNotFound:
		return "nothing is at POST " + t.url.EscapedPath() + ": check the path that is forwarded to"
	case http.StatusMethodNotAllowed:
		return "the route exists, but does not take POST" + quoted(" (it takes %s)", a.header.Get("Allow"))
	case http.StatusRequestEntityTooLarge:
		return fmt.Sprintf("the body has %d bytes: raise the limit for bodies; Svix sends up to 1 MiB", len(d.Body))
	case http.StatusUnsupportedMediaType:
		return "the route does not take" + quoted(" %s", http.Header(d.Header).Get("Content-Type")) + ": let it read the raw body of any type"
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "a proxy in front of the handler may not reach it: is the handler itself running?"
	case http.StatusTooManyRequests:
		return "the handler, or what stands before it, limits the rate: except the webhooks' route from it"
	}
	return ""
}

func (t *target) failureHint(err error) string {
	dns, unknownName := errors.AsType[*net.DNSError](err)
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case errors.Is(err, errTimeout):
		return "answer first and work afterwards: Svix gives up after 15 s as well"
	case unknownName:
		return "the name " + strconv.Quote(dns.Name) + " is not known here: check the host that is forwarded to"
	case errors.Is(err, syscall.ECONNREFUSED):
		if other := t.otherFamily(); other != "" {
			return "nothing listens on " + t.address() + ", but something does on " + other + ": forward to " + t.url.Scheme + "://" + other
		}
		return "nothing listens on " + t.address() + ": is the handler running, and on this port?"
	case untrusted:
		return "this machine does not trust the handler's certificate: forward to http://, or add its authority to the system's"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was closed without an answer: did the handler crash?"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the handler does not speak TLS: forward to http://" + t.url.Host
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "what listens on " + t.address() + " does not speak HTTP (TLS, perhaps: then forward to https://)"
	}
	return ""
}

// address is the host with its port or, if the URL has none, its scheme.
func (t *target) address() string {
	return net.JoinHostPort(t.url.Hostname(), cmp.Or(t.url.Port(), t.url.Scheme))
}

// otherFamily is the address of the other family if somebody listens there.
func (t *target) otherFamily() string {
	ip, err := netip.ParseAddr(t.url.Hostname())
	if err != nil || !ip.IsLoopback() {
		return ""
	}
	address := net.JoinHostPort(loopback.Other(ip.Unmap()).String(), cmp.Or(t.url.Port(), t.url.Scheme))
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

func (a *answer) isHTML() bool {
	start := bytes.ToLower(bytes.TrimSpace(a.body[:min(len(a.body), 256)]))
	return strings.HasPrefix(strings.ToLower(a.header.Get("Content-Type")), "text/html") ||
		bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// aTitle matches the title of an HTML page.
var aTitle = regexp.MustCompile(`(?i)<title>\s*([^<]*?)\s*<`)

func (a *answer) title() string {
	if found := aTitle.FindSubmatch(a.body); found != nil {
		return quoted(" (%s)", string(found[1]))
	}
	return ""
}

func (a *answer) mentionsSignature() bool {
	text := bytes.ToLower(a.body)
	return bytes.Contains(text, []byte("signature")) || bytes.Contains(text, []byte("svix"))
}

func (a *answer) speaksTLS() bool {
	return a.status == http.StatusBadRequest && bytes.Contains(a.body, []byte("HTTP request to an HTTPS server"))
}

// quoted puts text from outside into the format; "" stays "".
func quoted(format, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(format, clean.Quoted(text))
}
