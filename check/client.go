package check

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/demo"
	"aspectop/forward"
	"aspectop/receiver"
	"aspectop/sig"
)

// Limits of a check.
const (
	probeTime  = 15 * time.Second // until an answer is there, as at Svix
	MostProbes = 100
	MostValid  = 60 // messages that the handler may act on
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
	meant bool // to be accepted by this handler; set when it is posted
	large bool // a refusal may come before the body is read
	// kept says that the connection is kept for the next request, or is one that was kept.
	kept bool
}

// answer is what came back.
type answer struct {
	forward.Answer
	n        int  // number of the probe
	accepted bool // 2xx
}

// newLine connects to the place only, without a proxy.
func newLine(p *Place, insecure bool) *http.Transport {
	return &http.Transport{
		DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx) },
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: insecure},
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// exchange makes one request.
func (c *checker) exchange(r request) answer {
	at, over, sign := time.Now().Add(r.late), r.over, r.sign
	if over == nil {
		over = c.verified(r.body)
	}
	if sign == nil {
		sign = c.scheme.sign(c.Secret)
	}
	header := http.Header{}
	maps.Copy(header, c.Header)
	header.Set("Content-Type", "application/json")
	header.Set("Accept", "*/*")
	header.Set("User-Agent", demo.UserAgent)
	if !r.bare {
		family := r.family
		if family == (sig.Family{}) {
			family = sig.Svix
		}
		signature := sign(r.id, at, over)
		family.Set(header, r.id, at, signature)
		c.hide(signature)
	}
	line := c.line
	if !r.kept { // on a connection that no other request has used, or will
		line = newLine(&c.Place, c.Insecure)
		defer line.CloseIdleConnections()
	}
	ctx, cancel := context.WithTimeoutCause(c.ctx, c.patience, forward.ErrTimeout)
	defer cancel()
	a := answer{Answer: c.handler.Once(ctx, line, &forward.Post{Header: header, Body: r.body})}
	a.accepted = a.Status/100 == 2
	return a
}

// ids and numbers differ between answers that are otherwise the same.
var changing = regexp.MustCompile(`msg_\w+|[0-9a-fA-F-]{8,}|\d+`)

// like reports whether two answers are the same but for ids and numbers.
func (a *answer) like(b answer) bool {
	return a.Status == b.Status && changing.ReplaceAllString(string(a.Body), "") == changing.ReplaceAllString(string(b.Body), "")
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

// a MAC that a handler prints may be the one that it expects, and sign what nobody has signed.
var mac = regexp.MustCompile(`\b[0-9A-Fa-f]{64}\b|[0-9A-Za-z+/_-]{43}=`)

// shown is a text of the handler's, or of a command's, as it may be shown.
func (c *checker) shown(text string) string {
	c.hidden.mu.Lock()
	defer c.hidden.mu.Unlock()
	for _, t := range c.hidden.texts {
		text = strings.ReplaceAll(text, t, clean.Redacted)
	}
	return clean.Text(c.Secret.Redact(mac.ReplaceAllString(text, clean.Redacted)))
}

// words are what is shown of an answer.
func (c *checker) words(a answer) string {
	if a.Err != nil {
		return c.shown("no answer: " + a.Err.Error())
	}
	return c.shown(a.Said)
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
