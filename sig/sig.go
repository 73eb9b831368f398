// Package sig reads and writes the signature headers of deliveries.
package sig

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how far a stamp may be from the receiver's clock, either way, as in Svix's
// libraries.
const Tolerance = 5 * time.Minute

// Signer returns the signature header, "v1,…", of a message with this id, time
// (in whole seconds) and body. It may be called by any number of goroutines.
type Signer func(id string, at time.Time, body []byte) string

// Family is one set of header names that carries a signature.
type Family struct{ ID, Stamp, Signature string }

var (
	Svix    = Family{"Svix-Id", "Svix-Timestamp", "Svix-Signature"}
	Webhook = Family{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}
)

// Families are judged in this order: the first complete one decides.
var Families = [...]Family{Svix, Webhook}

// Missing lists the headers of f that are not in h, or are empty, in lower case.
func (f Family) Missing(h http.Header) (names []string) {
	for _, name := range [...]string{f.ID, f.Stamp, f.Signature} {
		if h.Get(name) == "" {
			names = append(names, strings.ToLower(name))
		}
	}
	return names
}

// Complete reports whether all headers of f are in h.
func (f Family) Complete(h http.Header) bool { return len(f.Missing(h)) == 0 }

// Only returns h without the other family, to which Svix's library would fall back. h is
// copied only if it has both.
func (f Family) Only(h http.Header) http.Header {
	for _, other := range Families {
		if other != f && len(h[other.ID])+len(h[other.Stamp])+len(h[other.Signature]) > 0 {
			return http.Header{f.ID: h[f.ID], f.Stamp: h[f.Stamp], f.Signature: h[f.Signature]}
		}
	}
	return h
}

// Set puts a signature into h.
func (f Family) Set(h http.Header, id string, at time.Time, signature string) {
	h.Set(f.ID, id)
	h.Set(f.Stamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(f.Signature, signature)
}

// Seal signs a message in each family that h has, or in svix-* if it has none.
func Seal(h http.Header, id string, at time.Time, body []byte, sign Signer) {
	signature, webhook := sign(id, at, body), Webhook.Complete(h)
	if webhook {
		Webhook.Set(h, id, at, signature)
	}
	if !webhook || Svix.Complete(h) {
		Svix.Set(h, id, at, signature)
	}
}

// Signed returns when a message was signed, the zero time if that is not known.
func Signed(h http.Header) time.Time {
	for _, f := range Families {
		if f.Complete(h) {
			if seconds, err := strconv.ParseInt(h.Get(f.Stamp), 10, 64); err == nil {
				return time.Unix(seconds, 0)
			}
		}
	}
	return time.Time{}
}
