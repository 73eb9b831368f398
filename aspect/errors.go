package aspect

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
)

// ErrNotFound is matched by the error of a 404 or 410 answer in JSON. Any other
// could be that of a proxy, or of a server that is not Aspect's.
var ErrNotFound = errors.New("not found")

// APIError is an answer other than 2xx. Error says what happened, in the server's
// words, and what to do.
type APIError struct {
	Status     int
	Method     string
	Path       string        // without the query
	Code       string        // the body's "code", if it has one
	Detail     string        // the body's message, cleaned; may be empty
	RetryAfter time.Duration // zero if there is none

	location string // of a redirect that was not followed
	via      string // the proxy it came through, "" if none
	foreign  bool   // the body is no JSON object, as those of Aspect's errors are
}

func (e *APIError) Error() string {
	s := strings.TrimSpace(fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status)))
	for _, part := range []string{e.Code, e.Detail} {
		if part != "" {
			s += ": " + part
		}
	}
	if advice := e.advice(); advice != "" {
		s += " (" + advice + ")"
	}
	if e.via != "" {
		s += "; the answer came through the proxy " + e.via + ", which the environment sets"
	}
	return s
}

// KeyRefused reports whether Aspect refuses the API key, so that another try is of no use.
func KeyRefused(err error) bool {
	e, ok := errors.AsType[*APIError](err)
	return ok && !e.foreign && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

func (e *APIError) advice() string {
	again := "try again later"
	if e.RetryAfter > 0 {
		again = "try again in " + e.RetryAfter.Round(time.Second).String()
	}
	switch {
	case e.Status == http.StatusProxyAuthRequired:
		return "a proxy asks for it, not Aspect: give its user and password in HTTPS_PROXY, or name the API's host in NO_PROXY"
	case e.Status == http.StatusUnauthorized:
		return "Aspect does not know this API key: check ASPECT_API_KEY"
	case e.Status == http.StatusForbidden:
		return "the API key was revoked, or belongs to another account: check ASPECT_API_KEY"
	case e.foreign && (e.Status == http.StatusNotFound || e.Status == http.StatusGone):
		return "this answer is not one of Aspect's: check ASPECT_URL, and whether there is a proxy in between"
	case e.Method == http.MethodPost && e.Status == http.StatusNotFound:
		return "this server has no such call: check ASPECT_URL"
	case e.Status == http.StatusNotFound, e.Status == http.StatusGone:
		return "it does not exist in this account; if it should, check ASPECT_API_KEY and ASPECT_URL"
	case e.Status == http.StatusUnprocessableEntity:
		return "Aspect does not accept a value in the request"
	case e.Status == http.StatusTooManyRequests:
		return "too many requests: " + again
	case e.Status >= 500:
		return "server error: " + again
	case e.location != "":
		return "it redirects to " + e.location + ", which was not followed; if that is Aspect's API, set ASPECT_URL"
	}
	return ""
}

// Is makes errors.Is(err, ErrNotFound) true for 404 and 410 in JSON.
func (e *APIError) Is(target error) bool {
	return target == ErrNotFound && !e.foreign && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// temporary reports whether a retry may succeed.
func (e *APIError) temporary(r call) bool {
	switch {
	case e.Status == http.StatusTooManyRequests, e.Status == http.StatusServiceUnavailable, e.Status == http.StatusProxyAuthRequired:
		return true
	case e.Status == http.StatusRequestTimeout, e.Status >= 500:
		return r.idempotent()
	}
	return false
}

func (c *Client) apiError(r call, res *http.Response) *APIError {
	e := &APIError{Status: res.StatusCode, Method: r.method, Path: r.path, RetryAfter: RetryAfter(res.Header, time.Now())}
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxErrorBody))
	o, isObject := objectOf(body)
	e.foreign, e.Code, e.Detail = !isObject, c.clean(o.text("code")), c.clean(clean.Said(res.Header.Get("Content-Type"), body))
	if e.Detail == e.Code {
		e.Detail = ""
	}
	if next, err := res.Location(); err == nil && res.StatusCode/100 == 3 && next.Host != "" {
		e.location = c.clean((&url.URL{Scheme: next.Scheme, Host: next.Host, Path: next.Path}).String())
	}
	return e
}

// errNoAnswer is the cause of an attempt that timed out.
var errNoAnswer = errors.New("no answer")

// networkError means that no complete answer arrived.
type networkError struct {
	call    call
	host    string
	reached bool // the server may have got the request
	err     error
}

func (e *networkError) Unwrap() error { return e.err }

// temporary reports whether a retry is safe and may succeed.
func (e *networkError) temporary() bool {
	return (e.call.idempotent() || !e.reached) && !isUntrusted(e.err)
}

func (e *networkError) Error() string {
	err := e.err
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the call is already named
	}
	noHost, unresolved := errors.AsType[*net.DNSError](err)
	dial, unconnected := errors.AsType[*net.OpError](err)
	var what string
	switch {
	case errors.Is(err, context.Canceled):
		what = "canceled before the answer arrived"
	case errors.Is(err, context.DeadlineExceeded):
		what = fmt.Sprintf("%s did not answer in time", e.host)
	case errors.Is(err, errNoAnswer):
		what = fmt.Sprintf("%s did not answer within %v: check the network, or try again later", e.host, tryTime)
	case errors.As(err, new(*loopback.ProxyError)):
		what = fmt.Sprintf("%v, which the environment sets: name %s in NO_PROXY to go without it", err, e.host)
	case unresolved:
		what = fmt.Sprintf("cannot resolve %s (%v): check the network and ASPECT_URL", e.host, noHost)
	case isUntrusted(err):
		what = fmt.Sprintf("no secure connection to %s (%v): check ASPECT_URL, this machine's clock, and whether there is a proxy in between", e.host, err)
	case unconnected && (dial.Op == "dial" || dial.Op == "proxyconnect"):
		what = fmt.Sprintf("cannot connect to %s (%v): check the network and ASPECT_URL", e.host, err)
	default:
		what = fmt.Sprintf("the connection to %s broke (%v): try again", e.host, err)
	}
	return e.call.method + " " + e.call.path + ": " + what
}

// isUntrusted reports whether TLS failed for a reason that a retry does not fix.
func isUntrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(tls.RecordHeaderError))
}

// Undone reports whether a call that failed with err certainly changed nothing: it
// never went out, or was refused. Otherwise an endpoint that was to be created
// may exist.
func Undone(err error) bool {
	if refused, ok := errors.AsType[*APIError](err); ok {
		return refused.Status < 500 && refused.Status != http.StatusRequestTimeout
	}
	broken, ok := errors.AsType[*networkError](err)
	return ok && !broken.reached
}

// clean is a server's text in an error: by [clean.Line], without our key or any
// secret.
func (c *Client) clean(s string) string {
	return clean.Line(clean.NoSecret(strings.ReplaceAll(s, c.key.Reveal(), c.key.Masked())))
}
