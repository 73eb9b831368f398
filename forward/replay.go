package forward

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// ReplayOptions say how kept deliveries are posted again.
type ReplayOptions struct {
	// URL is the handler's address; see [Options].
	URL string
	// Sign signs each delivery anew, at the time of the request. Nil posts it
	// verbatim, with the signature it came with, which handlers refuse when it
	// is older than five minutes or the body was edited.
	Sign Signer
	// NewID gives each a svix-id of its own, so that the handler does not take
	// it for a repeat. It needs Sign.
	NewID bool
}

// Replay posts kept deliveries again: one request each, whose outcome is not
// kept. It may be used by any number of goroutines.
type Replay struct {
	options ReplayOptions
	target  *target
}

// NewReplay checks the options.
func NewReplay(o ReplayOptions) (*Replay, error) {
	t, err := parseTarget(o.URL)
	if err != nil {
		return nil, err
	}
	if o.NewID && o.Sign == nil {
		return nil, errors.New("a new svix-id needs a new signature, so it cannot go with the old one (--verbatim)")
	}
	return &Replay{o, t}, nil
}

// To is the handler's URL without credentials.
func (r *Replay) To() string { return r.target.shown }

// Stale reports whether a handler will refuse the delivery at the time if it is
// posted verbatim, for the age of its signature.
func Stale(d *model.Delivery, at time.Time) bool { return at.Sub(sig.Signed(d.Header)) > sig.Tolerance }

// Post makes one request, with the delivery's headers and with its body, which
// the caller may have edited, and returns what the handler answered: within
// 15 s, or when ctx ends. It posts what came as a webhook or from the event
// stream; for anything else, and for a repeat whose body was not kept again,
// the outcome's Error says so.
func (r *Replay) Post(ctx context.Context, d *model.Delivery) model.Forward {
	now := time.Now()
	if why := unfit(d); why != "" {
		return model.Forward{Seq: d.Seq, To: r.target.shown, At: now.UTC(), Final: true, Error: why}
	}
	h, signed := passOn(d), fmt.Sprintf("the secret that is called %q here", d.Secret)
	if r.options.Sign != nil {
		id := d.ID
		if r.options.NewID {
			id = "msg_" + rand.Text()
		}
		sig.Seal(h, id, now, d.Body, r.options.Sign)
		signed = "the secret that this replay was signed with"
	}
	a := r.target.post(ctx, client, h, d.Body)
	f := r.target.outcome(&a, d, signed)
	f.Tries, f.Final, f.Resigned = 1, true, r.options.Sign != nil
	if !f.Resigned && a.err == nil && Stale(d, now) {
		f.Hint = staleHint(&a, h, now)
	}
	return f
}

// staleHint says what to make of the answer to an old signature.
func staleHint(a *answer, h http.Header, at time.Time) string {
	if a.delivered() {
		return "the handler took a signature that is " + age(h, at) + " old: it should refuse it after 5m, or others can send it again"
	}
	return "the signature is " + age(h, at) + " old, and handlers reject it after 5m: without --verbatim it is re-signed"
}

// unfit says why a delivery cannot be posted as a webhook, "" if it can.
func unfit(d *model.Delivery) string {
	switch {
	case d.Source == model.SourceAPI:
		return fmt.Sprintf("delivery %d was read from Aspect's API: it is not a webhook, so there is none to send again", d.Seq)
	case d.Repeat() && !d.Differs:
		return fmt.Sprintf("delivery %d repeats message %d, which has the body: replay that one", d.Seq, d.Message)
	}
	return ""
}
