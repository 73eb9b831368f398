package forward

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/sig"
)

// judge says in a sentence what to look at, "" if there is nothing to say: by the message,
// its answer, and what the handler accepted before. It names no cause that this contradicts.
func (h *Handler) judge(p *Post, a *Answer) string {
	var m fact
	var before []fact
	if p.Key != "" && a.Err == nil {
		m = factOf(p)
	}
	// That a handler refuses an old signature tells nothing else about it.
	if m.key != "" && a.began.Sub(sig.Signed(p.Header)).Abs() <= sig.Tolerance {
		before = h.known.note(m, a.accepted(), a.hopeless())
	}
	parts := []string{h.answerHint(p, a, m, before), a.Fault, a.orders(), h.wayHint(a)}
	if p.Key != "" && a.puzzling() {
		parts = append(parts, h.Advice())
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "; ")
}

// Advice is the command that finds out more about the handler.
func (h *Handler) Advice() string {
	bare := *h.url
	bare.User, bare.RawQuery = nil, ""
	return "aspectop check " + clean.ShellWord(bare.String()) + " finds out why"
}

// puzzling reports whether the answer leaves open what [Handler.Advice] would find out.
func (a *Answer) puzzling() bool {
	switch {
	case a.Err != nil:
		return a.Closed() && a.via == ""
	case a.delivered():
		return a.IsHTML() || a.Fault != ""
	}
	return a.judged()
}

// judged reports whether the message was refused for what it is, as far as the status tells.
func (a *Answer) judged() bool {
	switch a.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusTooManyRequests:
		return false
	}
	return a.Status >= 400 && !a.speaksTLS() && !a.gateway() && !a.later()
}

// orders says what the answer tells Svix to do.
func (a *Answer) orders() string {
	switch strings.ToLower(strings.TrimSpace(a.Header.Get("Webhook-Delivery"))) {
	case "":
		return ""
	case "disable":
		return "its header webhook-delivery: disable makes Svix disable the endpoint"
	case "abort-message":
		return "its header webhook-delivery: abort-message makes Svix never send this message again"
	}
	return "its header webhook-delivery is meant for Svix" + quoted(" (%s)", a.Header.Get("Webhook-Delivery"))
}

// wayHint says where the handler was found and by which proxy, whenever that changes; the
// proxy also with what is no 2xx, which may be its answer.
func (h *Handler) wayHint(a *Answer) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	way := a.found
	if a.via != "" {
		way = "the answer came through the proxy " + a.via + ", which the environment sets"
	}
	if a.Status == 0 || way == h.said && (a.via == "" || a.delivered()) {
		return ""
	}
	h.said = way
	return way
}

func (h *Handler) answerHint(p *Post, a *Answer, m fact, before []fact) string {
	switch {
	case a.Err != nil:
		return h.failureHint(a)
	case a.delivered() && a.IsHTML():
		return "the answer is an HTML page" + quoted(" (%s)", a.Said) + ": is this the route of your handler, or a page of its server?"
	case a.delivered():
		return ""
	case a.Status >= 300 && a.Status < 400:
		return "redirects are not followed, nor does Svix follow them: give the final URL" + quoted(" (it points to %s)", a.Header.Get("Location")) +
			"; often a slash at the end, or https, is missing"
	case a.speaksTLS():
		return "the handler speaks TLS: post to https://" + h.url.Host
	case a.Status == http.StatusProxyAuthRequired:
		return "the proxy asks for a user and password, not the handler: give them in the proxy's variable, or name the handler's host in NO_PROXY"
	case p.Key == "":
		return ""
	}
	text := h.statusHint(p, a, m, before)
	switch {
	case !a.IsHTML():
		return text
	case text == "":
		return "the answer is an HTML error page" + quoted(" (%s)", a.Said) + " of the server or its framework, not of your handler"
	}
	return text + "; the answer is an HTML page" + quoted(" (%s)", a.Said) + ", so it may be the framework's and not your handler's"
}

func (h *Handler) statusHint(p *Post, a *Answer, m fact, before []fact) string {
	proven := m.against(before, a)
	switch a.Status {
	case http.StatusNotFound:
		if proven != "" {
			return "it has accepted messages at this path before: is its route gone since it was restarted?"
		}
		return "nothing is at POST " + h.url.EscapedPath() + ": check the path that is posted to"
	case http.StatusMethodNotAllowed:
		return "the route exists, but does not take POST" + quoted(" (it takes %s)", a.Header.Get("Allow"))
	case http.StatusRequestEntityTooLarge:
		switch most := largest(before); {
		case most >= m.size:
			return fmt.Sprintf("it has accepted a body of %d bytes, so the size of this one, %d, is not the reason", most, m.size)
		case m.size < 8<<10:
			return fmt.Sprintf("the body has only %d bytes, so a usual limit for bodies is not the reason", m.size)
		}
		return fmt.Sprintf("the body has %d bytes: raise the limit for bodies; Svix sends up to 1 MiB", m.size)
	case http.StatusUnsupportedMediaType:
		return "the route does not take" + quoted(" %s", p.Header.Get("Content-Type")) + ": let it read the raw body of any type"
	case http.StatusServiceUnavailable:
		if a.later() {
			return "it takes no messages at the moment" + quoted(" (%s)", a.Said) + quoted(" and asks for them later (Retry-After: %s)", a.Header.Get("Retry-After")) + ": its own log says why"
		}
	case http.StatusTooManyRequests:
		return "the handler, or something in front of it, limits the rate: exempt the webhook route"
	}
	switch {
	case a.Status == http.StatusUnprocessableEntity && !a.aboutSignature():
		return "something validates the form of the body before, or instead of, the signature: verify the raw body first, and accept what you do not know"
	case proven != "":
		return proven
	case a.gateway():
		return "a proxy in front of the handler may not reach it: is the handler itself running?"
	case a.About("missing required headers", "missing headers"):
		return "the verification does not get the " + m.family + " headers: pass them on to it"
	case a.Status < 500 && a.About("csrf"): // the page of a crash may have all settings
		return "the framework's CSRF protection refuses it: exempt the route, as the signature proves where a message comes from"
	case a.About("payload to be of type", "body is unusable", "stream consumed"):
		return "the body was parsed or read before it was verified: give the verification the raw body"
	case a.Status >= 500 && !a.aboutSignature():
		return ""
	case (a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden) && !a.aboutSignature():
		return "the route is protected: exempt it from the authentication (and CSRF) middleware, as the signature proves where a message comes from"
	case a.aboutSignature() || a.Status == http.StatusBadRequest && a.saysNothing():
		lost := ""
		if m.form != minimal && m.form != notJSON {
			lost = fmt.Sprintf(" (its %s is lost when JSON is re-serialised)", strings.TrimPrefix(string(m.form), "JSON with "))
		}
		return "verify the raw body, before anything parses it" + lost + ", and check the secret: the handler has to verify with " + p.Key
	case a.strict():
		return strictness
	}
	return ""
}

const strictness = "a handler has to accept event types, features and states that it does not know, because Svix retries what is refused and may disable the endpoint"

func (a *Answer) strict() bool {
	return a.About("event", "feature", "state", "type") && a.About("unknown", "unsupported", "unexpected", "invalid", "unhandled", "not supported")
}

// against compares a message that was refused with those that were accepted, signed with
// the same secret: then that secret is right. It is "" if nothing was accepted.
func (m fact) against(before []fact, a *Answer) string {
	before = slices.DeleteFunc(before, func(f fact) bool { return f.key != m.key })
	repeat := slices.ContainsFunc(before, func(f fact) bool { return f.id == m.id && m.id != "" })
	known := len(before)
	before = slices.DeleteFunc(before, func(f fact) bool { return f.doubted })
	any := func(is func(f fact) bool) bool { return slices.ContainsFunc(before, is) }
	most := largest(before)
	written, forms := "", any(func(f fact) bool { return f.form == m.form })
	for _, f := range []form{minimal, python} { // what is written again looks so
		if !forms && written == "" && any(func(o fact) bool { return o.form == f }) {
			written = fmt.Sprintf("it accepts %s and refuses %s: it verifies re-serialised JSON, not the bytes that arrived; verify the raw body, and parse it afterwards", f, m.form)
		}
	}
	family, event, size := "", "", ""
	if !any(func(f fact) bool { return f.family == m.family }) {
		family = "it has accepted messages with other headers than " + m.family + ": pass both families on to the verification"
	}
	if !any(func(f fact) bool { return f.event == m.event }) {
		event = fmt.Sprintf("it has accepted other event types with this secret, but none %s: ", cmp.Or(quoted("of type %s", m.event), "without a type, as Svix's test message is")) + strictness
	}
	if m.size > 2*most && m.size >= 8<<10 {
		size = fmt.Sprintf("it has accepted bodies of up to %d bytes, and this one has %d: raise the limit for bodies; Svix sends up to 1 MiB", most, m.size)
	}
	// What the handler says itself decides between causes.
	if signature := a.aboutSignature() && !a.strict(); signature {
		event = ""
	} else if !a.saysNothing() {
		family, written = "", ""
	}
	found := slices.DeleteFunc([]string{size, family, written, event}, func(s string) bool { return s == "" })
	switch {
	case known == 0:
		return ""
	case repeat:
		return "it has accepted this very message before: Svix sends some messages twice, and a duplicate has to be answered 2xx too"
	case len(found) == 0 || len(before) == 0:
		return "it has accepted messages like this one: look for what has changed since in the handler or its secret, or for what it refuses in this message"
	case len(found) == 1:
		return found[0]
	}
	return "it has accepted others with this secret; that may be because " + strings.Join(found, ", or ")
}

func largest(facts []fact) (most int) {
	for _, f := range facts {
		most = max(most, f.size)
	}
	return most
}

// gateway reports whether the answer may be that of a proxy in front of the handler: one that
// has no words of its own, or those of a proxy's page.
func (a *Answer) gateway() bool {
	switch a.Status {
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		return a.saysNothing() || a.IsHTML()
	}
	return false
}

// later reports whether the handler asks for the same message once more.
func (a *Answer) later() bool {
	return a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "" && !a.gateway()
}

func (h *Handler) failureHint(a *Answer) string {
	err := a.Err
	dns, unknownName := errors.AsType[*net.DNSError](err)
	proxy, refused := errors.AsType[*loopback.ProxyError](err)
	dial, _ := errors.AsType[*net.OpError](err)
	switch {
	case refused:
		return "that is the answer of the proxy " + proxy.Proxy + ", which the environment sets, not the handler's: name " + h.url.Hostname() + " in NO_PROXY to go without it"
	case dial != nil && dial.Op == "proxyconnect":
		return "the proxy " + a.via + ", which the environment sets, cannot be reached: name " + h.url.Hostname() + " in NO_PROXY to go without it"
	case errors.Is(err, ErrTimeout):
		return "answer first and do the work afterwards: Svix gives up after 15 s as well"
	case unknownName:
		return "the name " + strconv.Quote(dns.Name) + " is not known here: check the host that is posted to"
	case loopback.Refused(err):
		if other := h.otherFamily(); other != "" {
			return "nothing listens on " + h.address() + ", but something does on " + other + ": post to " + h.url.Scheme + "://" + other
		}
		return "nothing listens on " + h.address() + ": is the handler running, and on this port?"
	case a.untrusted():
		return "this machine does not trust the handler's certificate: post to http://, or add its authority to the system's"
	case a.Closed() && a.via != "":
		return "the proxy " + a.via + ", which the environment sets, closed the connection without an answer"
	case a.Closed():
		return "the connection was closed without an answer: did the handler crash?"
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the handler does not speak TLS: post to http://" + h.url.Host
	case strings.Contains(err.Error(), "malformed HTTP"):
		return "what listens on " + h.address() + " does not speak HTTP (TLS, perhaps: then post to https://)"
	}
	return ""
}

// Closed reports whether the connection ended in place of an answer.
func (a *Answer) Closed() bool { return loopback.Broken(a.Err) }

// address is the host with its port or, if the URL has none, its scheme.
func (h *Handler) address() string {
	return net.JoinHostPort(h.url.Hostname(), cmp.Or(h.url.Port(), h.url.Scheme))
}

// otherFamily is the address of the other family if somebody listens there.
func (h *Handler) otherFamily() string {
	ip, err := netip.ParseAddr(h.url.Hostname())
	if err != nil || !ip.IsLoopback() {
		return ""
	}
	address := net.JoinHostPort(loopback.Other(ip.Unmap()).String(), cmp.Or(h.url.Port(), h.url.Scheme))
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return ""
	}
	conn.Close()
	return address
}

func (a *Answer) speaksTLS() bool {
	return a.Status == http.StatusBadRequest && bytes.Contains(a.Body, []byte("HTTP request to an HTTPS server"))
}

// quoted puts text from outside into the format; "" stays "".
func quoted(format, text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf(format, clean.Quoted(text))
}

// IsHTML reports whether the answer is a page.
func (a *Answer) IsHTML() bool { return clean.IsHTML(a.Header.Get("Content-Type"), a.Body) }

// About matches an answer that speaks of one of the words.
func (a *Answer) About(words ...string) bool {
	text := bytes.ToLower(a.Body)
	return slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(text, []byte(word)) })
}

func (a *Answer) aboutSignature() bool {
	return a.About("signature", "svix", "webhook", "verif", "hmac", "secret", "required headers", "missing headers")
}

// saysNothing reports whether the answer has no reason: it is empty, or says what the status says.
func (a *Answer) saysNothing() bool {
	switch text := strings.ToLower(strings.Trim(a.Said, ".!")); text {
	case "", "bad", "error", "err", "invalid", "failed", "false", "{}", "null", "invalid request", "invalid payload", "invalid body", "internal error", "server error",
		strings.ToLower(http.StatusText(a.Status)):
		return true
	default:
		return strings.HasPrefix(text, strings.ToLower(http.StatusText(a.Status))) && len(text) < 40 // Bad Request (400)
	}
}
