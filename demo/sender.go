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
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/loopback"
	"aspectop/sig"

	svix "github.com/svix/svix-webhooks/go"
)

// UserAgent is what Svix's hosted service sends.
const UserAgent = "Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"

// Sender posts messages to a receiver as Svix would. It is safe for concurrent use as
// long as its fields are not changed.
type Sender struct {
	URL    string       // the receiver's, with the path
	Sign   sig.Signer   // returns the header svix-signature
	Client *http.Client // nil: like Svix's, with a timeout of 15 s and without redirects
	// Observe, if not nil, is called with every attempt and its answer or error,
	// possibly concurrently.
	Observe func(m Message, a Answer, err error)
}

// Answer is the answer to one attempt. The zero Answer is none.
type Answer struct {
	Status int
	Text   string        // first 1,024 bytes of the body
	Took   time.Duration // until the answer arrived
	Found  string        // where, as [loopback.Found] says
}

// Right reports whether this is the right answer to a message that is wrong in way b:
// 2xx to a valid one, otherwise a rejection. A missing page, a timeout and a server
// error are not rejections.
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

// answerText is how much of an answer's body is kept, in bytes.
const answerText = 1024

// Message is one webhook message.
type Message struct {
	ID    string    // svix-id: the same for all attempts
	At    time.Time // svix-timestamp, the time of the attempt; zero is now
	Body  []byte    // sent as it is
	Break Break     // how the request is wrong; "": it is not
}

// Break is a way to make a request invalid, so that a careful receiver rejects it.
type Break string

const (
	BreakSignature Break = "signature" // well-formed, with one wrong byte
	BreakTimestamp Break = "timestamp" // ten minutes older than Message.At, correctly signed, like a replay attack
	BreakBody      Break = "body"      // a space after the first byte: the same JSON re-serialised by a proxy
	BreakSecret    Break = "secret"    // signed with another secret
)

// Breaks lists all ways to make a request invalid.
var Breaks = []Break{BreakSignature, BreakTimestamp, BreakBody, BreakSecret}

func signer(w *svix.Webhook) sig.Signer {
	return func(id string, at time.Time, body []byte) string {
		s, err := w.Sign(id, at, body)
		if err != nil {
			panic(err) // HMAC cannot fail
		}
		return s
	}
}

// otherSigner signs with another secret.
var otherSigner = sync.OnceValue(func() sig.Signer {
	w, err := svix.NewWebhookRaw([]byte("the secret of somebody else"))
	if err != nil {
		panic(err) // only an empty key is refused
	}
	return signer(w)
})

// Post makes one attempt to deliver m and returns the status of the answer. If there is
// none, the error contains the URL.
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
		sign = otherSigner()
	}
	signature := sign(m.ID, at, body)
	switch m.Break {
	case BreakSignature:
		signature = alter(signature)
	case BreakBody:
		n := min(1, len(body))
		body = slices.Concat(body[:n], []byte{' '}, body[n:])
	}

	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return Answer{}, fmt.Errorf("%q is not a URL", clean.URL(s.URL))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", UserAgent)
	sig.Svix.Set(req.Header, m.ID, at, signature)
	found := ""
	req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		found = loopback.Found(req.URL.Hostname(), c.Conn.RemoteAddr())
	}}))
	start := time.Now()
	resp, err := s.client().Do(req)
	if err != nil {
		hint := ""
		if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "dial" {
			hint = " (is the receiver running there?)"
		}
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // without the method and the URL
		}
		return Answer{}, fmt.Errorf("cannot post to %s: %w%s", clean.URL(s.URL), err, hint)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode, Took: time.Since(start), Found: found}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, answerText))
	a.Text = string(text)
	// Read a short body, so that the connection can be reused.
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10)
	return a, nil
}

func (s *Sender) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	return likeSvix()
}

var likeSvix = sync.OnceValue(func() *http.Client {
	t := loopback.Route(http.DefaultTransport.(*http.Transport).Clone(), &net.Dialer{Timeout: 15 * time.Second})
	t.DisableCompression = true // Svix sends no Accept-Encoding
	t.MaxIdleConnsPerHost = inFlight
	t.IdleConnTimeout = 15 * time.Second
	return &http.Client{
		Transport:     t,
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
})

// alter changes the first byte after "v1," in a signature.
func alter(signature string) string {
	version, sum, _ := strings.Cut(signature, ",")
	raw, err := base64.StdEncoding.DecodeString(sum)
	if err != nil || len(raw) == 0 {
		return signature + "A"
	}
	raw[0] ^= 0xff
	return version + "," + base64.StdEncoding.EncodeToString(raw)
}
