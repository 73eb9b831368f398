package forward

import (
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// Signer signs a message; see [sig.Signer].
type Signer = sig.Signer

// oldest is how old a signature may be that is passed on as it is. Handlers refuse it
// after five minutes; the rest is for transit and for their clock.
const oldest = 4 * time.Minute

// age is how long ago the delivery was signed; very long if that is not known.
func age(d *model.Delivery, at time.Time) time.Duration { return at.Sub(sig.Signed(d.Header)) }

// nameOfKey is the secret that a delivery came signed with, for hints.
func nameOfKey(d *model.Delivery) string {
	if d.Source != model.SourceWebhook {
		return "the first secret of ASPECT_WEBHOOK_SECRET"
	}
	return fmt.Sprintf("the secret that is called %q here", d.Secret)
}

// notPassedOn are headers about the connection by which the delivery came, or about the
// answer on it. All else that Svix, a proxy or the user's tunnel sent is passed on.
var notPassedOn = []string{
	// RFC 9110, section 7.6.1, and its forerunners
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
	// set by net/http
	"Host", "Content-Length", "Expect",
	// the answer is kept for people to read
	"Accept-Encoding",
}

// passOn returns the headers of the delivery that go to the handler.
func passOn(d *model.Delivery) http.Header {
	h := make(http.Header, len(d.Header))
	for name, values := range d.Header {
		for _, v := range values {
			// The relay's JSON, unlike HTTP, may hold what cannot be sent.
			if !strings.ContainsAny(v, "\r\n\x00") {
				h.Add(name, v)
			}
		}
	}
	for _, named := range h["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			h.Del(textproto.TrimString(name))
		}
	}
	for _, name := range notPassedOn {
		h.Del(name)
	}
	if d.Source == model.SourceSSE { // its headers are not those of a request
		h = http.Header{"Content-Type": {"application/json"}}
	}
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = []string{""} // else net/http would name itself
	}
	return h
}
