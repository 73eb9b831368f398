package demo

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aspectop/clean"
	"aspectop/forward"
	"aspectop/sig"

	svix "github.com/svix/svix-webhooks/go"
)

// UserAgent is what Svix's hosted service sends.
const UserAgent = "Svix-Webhooks/1.84.0 (sender-9YMgn; +https://www.svix.com/http-sender/)"

// Sender posts messages to a receiver as Svix would. It is safe for concurrent use as
// long as its fields are not changed.
type Sender struct {
	URL       string            // the receiver's, with the path
	Sign      sig.Signer        // returns the header svix-signature
	Key       string            // the name of its secret, for hints
	Transport http.RoundTripper // nil: like Svix's
	// Observe, if not nil, is called with every attempt and its answer or error,
	// possibly concurrently.
	Observe func(m Message, a forward.Answer, err error)

	once    sync.Once
	handler *forward.Handler // nil if URL is none
}

// Right reports whether an answer is right to a message that is wrong in this way: 2xx to
// a valid one, otherwise a rejection. A missing page, a timeout, what a proxy says and a
// server error are not rejections.
func (b Break) Right(a forward.Answer) bool {
	if b == "" {
		return a.Status/100 == 2 && a.Fault == ""
	}
	switch a.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusGone, http.StatusTooManyRequests:
		return false
	}
	return a.Status/100 == 4
}

// Message is one webhook message.
type Message struct {
	ID    string    // svix-id: the same for all attempts
	At    time.Time // svix-timestamp, the time of the attempt; zero is now
	Body  []byte    // sent as it is
	Break Break     // how the request is wrong; "": it is not
	// Without is the header that BreakHeaders leaves out; "" leaves out each in turn, in
	// a request of its own.
	Without string
}

// Break is a way to make a request invalid, so that a careful receiver rejects it.
type Break string

const (
	BreakSignature Break = "signature" // well-formed, with one wrong byte
	BreakTimestamp Break = "timestamp" // ten minutes older than Message.At, correctly signed, like a replay attack
	BreakFuture    Break = "future"    // ten minutes newer, correctly signed
	BreakBody      Break = "body"      // a space after the first byte: the same JSON re-serialised by a proxy
	BreakSecret    Break = "secret"    // signed with another secret
	BreakHeaders   Break = "headers"   // without the header Message.Without
	BreakMalformed Break = "malformed" // a signature that is none
)

// Breaks lists all ways to make a request invalid.
var Breaks = []Break{BreakSignature, BreakTimestamp, BreakFuture, BreakBody, BreakSecret, BreakHeaders, BreakMalformed}

func signer(w *svix.Webhook) sig.Signer {
	return func(id string, at time.Time, body []byte) string {
		s, err := w.Sign(id, at, body)
		if err != nil {
			panic(err) // HMAC cannot fail
		}
		return s
	}
}

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
	if m.Break == BreakHeaders && m.Without == "" {
		for _, m.Without = range []string{sig.Svix.ID, sig.Svix.Stamp, sig.Svix.Signature} {
			if status, err = s.Post(ctx, m); err != nil {
				break
			}
		}
		return status, err
	}
	a, err := s.attempt(ctx, m)
	if s.Observe != nil {
		s.Observe(m, a, err)
	}
	return a.Status, err
}

func (s *Sender) attempt(ctx context.Context, m Message) (a forward.Answer, err error) {
	at, body, sign, key := m.At, m.Body, s.Sign, cmp.Or(s.Key, "the secret that it was signed with")
	if at.IsZero() {
		at = time.Now()
	}
	switch m.Break {
	case BreakTimestamp:
		at = at.Add(-10 * time.Minute)
	case BreakFuture:
		at = at.Add(10 * time.Minute)
	case BreakSecret:
		sign = otherSigner()
	}
	signature := sign(m.ID, at, body)
	switch m.Break {
	case BreakSignature:
		signature = alter(signature)
	case BreakMalformed:
		signature = "v1 " + m.ID
	case BreakBody:
		n := min(1, len(body))
		body = slices.Concat(body[:n], []byte{' '}, body[n:])
	}
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"*/*"}, "User-Agent": {UserAgent}}
	sig.Svix.Set(h, m.ID, at, signature)
	h.Del(m.Without)
	if m.Break != "" {
		key = ""
	}
	target := s.target()
	if target == nil {
		return a, fmt.Errorf("%q is not a URL", clean.URL(s.URL))
	}
	if a = target.Post(ctx, forward.Post{Header: h, Body: body, Key: key}); a.Err == nil {
		return a, nil
	}
	err = fmt.Errorf("cannot post to %s: %w", clean.URL(s.URL), a.Err)
	if a.Hint != "" {
		err = fmt.Errorf("%w; %s", err, a.Hint)
	}
	return forward.Answer{}, err
}

// target is the receiver, nil if its URL is none.
func (s *Sender) target() *forward.Handler {
	s.once.Do(func() {
		if s.handler, _ = forward.NewHandler(forward.Target{URL: s.URL}); s.handler != nil && s.Transport != nil {
			s.handler.Through(s.Transport)
		}
	})
	return s.handler
}

// Advice is how to find out more about the receiver.
func (s *Sender) Advice() string { return s.target().Advice() }

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
