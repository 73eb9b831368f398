package forward

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"aspectop/model"
)

// Signer returns the signature header, "v1,…", of a message with this id, time
// (in whole seconds) and body. It may be called by any number of goroutines.
type Signer func(id string, at time.Time, body []byte) string

// oldest is how old a stamp may be that is passed on as it is. Handlers refuse
// it after five minutes; the rest is for the way and for their clock.
const oldest = 4 * time.Minute

// family is one set of header names that carries a signature.
type family struct{ id, stamp, signature string }

var families = [...]family{
	{"Svix-Id", "Svix-Timestamp", "Svix-Signature"},
	{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
}

func (f family) complete(h http.Header) bool {
	return h.Get(f.id) != "" && h.Get(f.stamp) != "" && h.Get(f.signature) != ""
}

// stamped returns when the delivery was signed; the zero time if its headers do
// not say.
func stamped(h http.Header) time.Time {
	for _, f := range families {
		if f.complete(h) {
			if seconds, err := strconv.ParseInt(h.Get(f.stamp), 10, 64); err == nil {
				return time.Unix(seconds, 0)
			}
		}
	}
	return time.Time{}
}

// stale reports whether handlers refuse the delivery at the time, or are about
// to, for the age of its stamp.
func stale(h http.Header, at time.Time) bool { return at.Sub(stamped(h)) > oldest }

// age is how long ago the delivery was signed, in words.
func age(h http.Header, at time.Time) string {
	return at.Sub(stamped(h)).Round(time.Second).String()
}

// seal signs the message anew, in each family of headers that it came with; in
// svix-* if it came with none.
func seal(h http.Header, id string, at time.Time, body []byte, sign Signer) {
	signature := sign(id, at, body)
	svix, webhook := families[0], families[1]
	for _, f := range families {
		if f.complete(h) || f == svix && !webhook.complete(h) {
			h.Set(f.id, id)
			h.Set(f.stamp, strconv.FormatInt(at.Unix(), 10))
			h.Set(f.signature, signature)
		}
	}
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
