package demo

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	svix "github.com/svix/svix-webhooks/go"
)

// userAgent is what Svix's hosted service sends.
const userAgent = "Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"

// Sender posts messages to one receiver, as Svix would. It may be used by any
// number of goroutines as long as its fields are not changed.
type Sender struct {
	// URL is the receiver's full address, with its path.
	URL string
	// Sign returns the value of the header svix-signature; as Svix computes it.
	Sign func(id string, at time.Time, body []byte) string
	// Client makes the requests. Nil is a client like Svix's: 15 s for an
	// answer, and no redirect is followed.
	Client *http.Client
	// Observe is told of every attempt, if it is not nil: what was posted, and
	// the answer or why there was none. Several goroutines may call it at once.
	Observe func(m Message, a Answer, err error)
}

// Answer is what a receiver answered to one attempt. The zero Answer is none.
type Answer struct {
	Status int
	Text   string        // of the body, the first 1,024 bytes
	Took   time.Duration // until the answer had come
}

// Right reports whether this is what a careful receiver answers to a message
// that is wrong in that way: 2xx to one that is right, and otherwise a refusal,
// which a missing page, a time-out or a failure of the server is not.
func (a Answer) Right(b Break) bool {
	if b == "" {
		return a.Status/100 == 2
	}
	switch a.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return a.Status/100 == 4
}

// answerText is how much of an answer's body is told, in bytes.
const answerText = 1024

// Message is one webhook message on its way.
type Message struct {
	ID   string    // svix-id: the same for all attempts
	At   time.Time // svix-timestamp, that is, when this attempt is made; zero is now
	Body []byte    // sent as it is
	// Break is how the request is to be wrong; "" is right.
	Break Break
}

// Break is a way in which a request can be wrong, so that a careful receiver
// refuses it.
type Break string

const (
	// BreakSignature sends a well-formed signature in which one byte is wrong.
	BreakSignature Break = "signature"
	// BreakTimestamp sends a rightly signed request that is ten minutes older
	// than Message.At, as somebody who replays an old one would.
	BreakTimestamp Break = "timestamp"
	// BreakBody sends the body with a space put in after its first byte, which
	// is what re-serialising it on the way does: the same JSON, other bytes.
	BreakBody Break = "body"
	// BreakSecret signs with the secret of somebody else.
	BreakSecret Break = "secret"
)

// Breaks lists the ways to be wrong.
var Breaks = []Break{BreakSignature, BreakTimestamp, BreakBody, BreakSecret}

func signer(w *svix.Webhook) func(string, time.Time, []byte) string {
	return func(id string, at time.Time, body []byte) string {
		s, err := w.Sign(id, at, body)
		if err != nil {
			panic(err) // HMAC cannot fail
		}
		return s
	}
}

// stranger signs in the name of somebody who has not the secret.
var stranger = sync.OnceValue(func() func(string, time.Time, []byte) string {
	w, err := svix.NewWebhookRaw([]byte("the secret of somebody else"))
	if err != nil {
		panic(err) // only an empty key is refused
	}
	return signer(w)
})

// Post makes one attempt to deliver m and returns the status of the answer. The
// error is not nil if there was no answer; it names the URL.
func (s *Sender) Post(ctx context.Context, m Message) (status int, err error) {
	a, err := s.attempt(ctx, m)
	if s.Observe != nil {
		s.Observe(m, a, err)
	}
	return a.Status, err
}

func (s *Sender) attempt(ctx context.Context, m Message) (Answer, error) {
	at, body, sign := m.At, m.Body, s.Sign
	if at.IsZero() {
		at = time.Now()
	}
	switch m.Break {
	case BreakTimestamp:
		at = at.Add(-10 * time.Minute)
	case BreakSecret:
		sign = stranger()
	}
	signature := sign(m.ID, at, body)
	switch m.Break {
	case BreakSignature:
		signature = alter(signature)
	case BreakBody:
		body = insertSpace(body)
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("%q is not a URL", s.shown())
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("svix-id", m.ID)
	req.Header.Set("svix-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("svix-signature", signature)
	start := time.Now()
	resp, err := s.client().Do(req)
	if err != nil {
		hint := ""
		if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
			hint = " (is the receiver running there?)"
		}
		return Answer{}, fmt.Errorf("cannot post to %s: %w%s", s.shown(), cause(err), hint)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Took: time.Since(start)}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, answerText))
	a.Text = string(text)
	// Read what is short, so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	return a, nil
}

// shown is the URL without what may be a secret: user info and query.
func (s *Sender) shown() string { return WithoutSecrets(s.URL) }

// WithoutSecrets is a URL as it may be shown: without user info, and without the
// values of its query. A text that is no URL is shown only if nothing in it looks
// like these.
func WithoutSecrets(address string) string {
	u, err := url.Parse(address)
	switch {
	case err == nil:
	case strings.ContainsAny(address, "@?"):
		return "(no URL)"
	default:
		return address
	}
	u.User = nil
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}

func (s *Sender) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	return likeSvix()
}

var likeSvix = sync.OnceValue(func() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableCompression = true // Svix sends no Accept-Encoding
	t.MaxIdleConnsPerHost = inFlight
	t.IdleConnTimeout = 15 * time.Second
	return &http.Client{
		Transport:     t,
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// cause is err without what url.Error puts before it, the method and the URL.
func cause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// alter returns the signature with the first byte behind "v1," flipped.
func alter(signature string) string {
	version, sum, _ := strings.Cut(signature, ",")
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || len(raw) == 0 {
		return signature + "A"
	}
	raw[0] ^= 0xff
	return version + "," + base64.StdEncoding.EncodeToString(raw)
}

func insertSpace(body []byte) []byte {
	n := min(1, len(body))
	return append(append(bytes.Clone(body[:n]), ' '), body[n:]...)
}
