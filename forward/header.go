package forward

import (
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/sig"
)

// Signer signs a message; see [sig.Signer].
type Signer = sig.Signer

// oldest is how old a stamp may be that is passed on as it is. Handlers refuse
// it after five minutes; the rest is for the way and for their clock.
const oldest = 4 * time.Minute

// stale reports whether handlers refuse the delivery at the time, or are about
// to, for the age of its stamp.
func stale(h http.Header, at time.Time) bool { return at.Sub(sig.Signed(h)) > oldest }

// age is how long ago the delivery was signed, in words.
func age(h http.Header, at time.Time) string {
	return at.Sub(sig.Signed(h)).Round(time.Second).String()
}

// notPassedOn are headers about the connection that the delivery came by, or
// about the answer on it. What a handler needs to verify, and all that Svix, a
// proxy or the user's tunnel added, is passed on.
var notPassedOn = []string{
	// RFC 9110, section 7.6.1, and its forerunners
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
	// said anew by whoever sends
	"Host", "Content-Length", "Expect",
	// the answer is kept for people to read
	"Accept-Encoding",
}

// passOn returns the headers of the delivery that go to the handler, with all
// their values.
func passOn(d *model.Delivery) http.Header {
	h := make(http.Header, len(d.Header))
	for name, values := range d.Header {
		for _, v := range values {
			// Not by HTTP, but by the relay's JSON, a value may hold what cannot
			// be sent.
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
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = []string{""} // else net/http would name itself
	}
	return h
}
