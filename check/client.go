package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"aspectop/clean"
	"aspectop/demo"
	"aspectop/receiver"
	"aspectop/sig"
)

const (
	probeTime   = 15 * time.Second // until an answer is there, as at Svix
	answerBytes = 64 << 10         // of an answer that are read
	mostProbes  = 100
	mostValid   = 60 // messages that the handler may act on
)

// request is one message, and how it is signed.
type request struct {
	name string
	body []byte
	id   string        // "" is a new one
	late time.Duration // added to now for the signing time
	// over is what is signed; nil is what this handler verifies of the body.
	over []byte
	// sign is how it is signed; nil is how this handler verifies.
	sign func(id string, at time.Time, over []byte) string
	// family are the names of the headers; none if it is empty and bare.
	family sig.Family
	bare   bool
	// valid says that a handler that works accepts it.
	valid bool
	large bool // a refusal may come before the body is read
	// kept says that the connection is kept for the next request, or is one that was kept.
	kept bool
}

// answer is what came back.
type answer struct {
	n        int // number of the probe
	status   int // 0: there is none
	header   http.Header
	body     []byte // at most answerBytes
	took     time.Duration
	err      error // why there is no answer
	broken   error // why its body is not whole
	endless  bool  // it had not ended after probeTime
	reused   bool  // the connection was
	accepted bool  // 2xx
}

// newClient posts to the place only: without a proxy, without following redirects.
func newClient(p *Place, insecure bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx) },
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: insecure},
			DisableCompression:     true,
			MaxResponseHeaderBytes: answerBytes,
			MaxIdleConnsPerHost:    1,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

var errProbeTime = errors.New("no answer within " + probeTime.String())

// exchange makes one request.
func (c *checker) exchange(r request) (a answer) {
	at := time.Now().Add(r.late)
	over := r.over
	if over == nil {
		over = c.verified(r.body)
	}
	sign := r.sign
	if sign == nil {
		sign = c.scheme.sign(c.Secret)
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, probeTime, errProbeTime)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { a.reused = i.Reused }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL.String(), bytes.NewReader(r.body))
	if err != nil {
		return answer{err: err}
	}
	maps.Copy(req.Header, c.Header)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", demo.UserAgent)
	if !r.bare {
		family := r.family
		if family == (sig.Family{}) {
			family = sig.Svix
		}
		signature := sign(r.id, at, over)
		family.Set(req.Header, r.id, at, signature)
		c.hide(signature)
	}
	start := time.Now()
	resp, err := c.client.Do(req)
	a.took = time.Since(start)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the method and the URL
		}
		a.err = err
		return a
	}
	defer resp.Body.Close()
	a.status, a.header, a.accepted = resp.StatusCode, resp.Header, resp.StatusCode/100 == 2
	a.body, a.broken = io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	a.endless = a.broken != nil && context.Cause(ctx) == errProbeTime
	return a
}

// refusedConnection reports whether nothing listens.
func (a *answer) refusedConnection() bool {
	e, ok := errors.AsType[*net.OpError](a.err)
	return ok && e.Op == "dial"
}

// closed reports whether the connection was closed in place of an answer.
func (a *answer) closed() bool {
	return errors.Is(a.err, io.EOF) || errors.Is(a.err, io.ErrUnexpectedEOF) || errors.Is(a.err, syscall.ECONNRESET) || errors.Is(a.err, syscall.EPIPE)
}

func (a *answer) isHTML() bool {
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(a.body)), []byte("<!doctype html"))
}

// says reports whether the answer's text has one of these words, in lower case.
func (a *answer) says(words ...string) bool {
	text := bytes.ToLower(a.body)
	for _, word := range words {
		if bytes.Contains(text, []byte(word)) {
			return true
		}
	}
	return false
}

// ids and numbers differ between answers that are otherwise the same.
var changing = regexp.MustCompile(`msg_\w+|[0-9a-fA-F-]{8,}|\d+`)

// like reports whether two answers are the same but for ids and numbers.
func (a *answer) like(b answer) bool {
	return a.status == b.status && changing.ReplaceAllString(string(a.body), "") == changing.ReplaceAllString(string(b.body), "")
}

// hidden is what a handler may echo and no output shows.
type hidden struct {
	mu    sync.Mutex
	texts []string
	seen  map[string]bool
}

// hide keeps the parts of a signature out of the output.
func (c *checker) hide(signature string) {
	c.hidden.mu.Lock()
	defer c.hidden.mu.Unlock()
	for part := range strings.FieldsFuncSeq(signature, func(r rune) bool { return r == ' ' || r == ',' }) {
		if len(part) > 8 && !c.hidden.seen[part] {
			c.hidden.seen[part] = true
			c.hidden.texts = append(c.hidden.texts, part)
		}
	}
}

// shown is a text of the handler's, or of a command's, as it may be shown.
func (c *checker) shown(text string) string {
	c.hidden.mu.Lock()
	defer c.hidden.mu.Unlock()
	for _, t := range c.hidden.texts {
		text = strings.ReplaceAll(text, t, clean.Redacted)
	}
	return clean.Line(c.Secret.Redact(text))
}

// words are what is shown of an answer.
func (c *checker) words(a answer) string {
	if a.err != nil {
		return c.shown("no answer: " + a.err.Error())
	}
	return c.shown(answerText(a))
}

var (
	ofJSON = []string{"detail", "message", "error", "msg", "title"}
	ofHTML = regexp.MustCompile(`(?is)<(pre|h1|title)[^>]*>(.*?)(</|<br)`)
)

// answerText is what an answer says: a member of its JSON, the message of its page, or all.
func answerText(a answer) string {
	if n := parseJSON(a.body); n != nil && n.open == '{' {
		for _, key := range ofJSON {
			if text := n.at(key); text != nil {
				if text.open != 0 {
					return string(form{}.write(nil, text, ""))
				}
				return text.text
			}
		}
	}
	if found := ofHTML.FindAllSubmatch(a.body, -1); found != nil && a.isHTML() {
		best := found[0]
		for _, f := range found {
			if strings.EqualFold(string(f[1]), "pre") {
				best = f
			}
		}
		return string(best[2])
	}
	return string(a.body)
}

// scheme is how a handler computes a signature. The zero scheme is right.
type scheme struct {
	name    string // of the probe
	codes   []string
	key     receiver.Reading
	over    func(id, stamp string, body []byte) []byte
	hex     bool
	unnamed bool // without "v1,"
}

func whole(id, stamp string, body []byte) []byte { return append([]byte(id+"."+stamp+"."), body...) }
func alone(_, _ string, body []byte) []byte      { return body }
func dated(_, stamp string, body []byte) []byte  { return append([]byte(stamp+"."), body...) }

// schemes are those of mistaken handlers.
var schemes = []scheme{
	{"signed_with_undecoded_secret", []string{"raw_key"}, receiver.Undecoded, whole, false, false},
	{"signed_with_whole_secret", []string{"raw_key"}, receiver.WholeText, whole, false, false},
	{"signed_over_body_only", []string{"body_only"}, receiver.Decoded, alone, false, false},
	{"signed_over_timestamp_and_body", []string{"body_only"}, receiver.Decoded, dated, false, false},
	{"signed_in_hex", []string{"hex"}, receiver.Decoded, whole, true, false},
	{"signed_without_version", []string{"hex"}, receiver.Decoded, whole, false, true},
	{"signed_in_hex_without_version", []string{"hex"}, receiver.Decoded, whole, true, true},
	{"signed_in_hex_over_body_only", []string{"body_only", "hex"}, receiver.Decoded, alone, true, false},
	{"signed_with_whole_secret_over_body_only", []string{"raw_key", "body_only"}, receiver.WholeText, alone, false, false},
	{"signed_with_undecoded_secret_over_body_only", []string{"raw_key", "body_only"}, receiver.Undecoded, alone, false, false},
	{"signed_with_whole_secret_in_hex", []string{"raw_key", "hex"}, receiver.WholeText, whole, true, false},
	{"signed_with_whole_secret_over_body_only_in_hex", []string{"raw_key", "body_only", "hex"}, receiver.WholeText, alone, true, true},
}

func (s scheme) sign(secret receiver.Secret) sig.Signer {
	if s.over == nil {
		return secret.Sign
	}
	return func(id string, at time.Time, body []byte) string {
		mac := secret.MAC(s.key, s.over(id, strconv.FormatInt(at.Unix(), 10), body))
		text := base64.StdEncoding.EncodeToString(mac)
		if s.hex {
			text = hex.EncodeToString(mac)
		}
		if !s.unnamed {
			text = "v1," + text
		}
		return text
	}
}
