package model

import (
	"net/textproto"
	"slices"
	"strings"
)

// ofConnection are headers about the connection by which a delivery came, or about the
// answer on it.
var ofConnection = []string{
	// RFC 9110, section 7.6.1, and its forerunners
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade",
	// set by net/http
	"Host", "Content-Length", "Expect",
	// the answer is kept for people to read
	"Accept-Encoding",
}

// OfConnection reports whether a header, by its canonical name, is about a connection, so
// that it is not passed on from one to the next.
func OfConnection(name string) bool { return slices.Contains(ofConnection, name) }

// PassedOn are the headers of the delivery that a handler gets, too: all that Svix, a proxy
// or the user's tunnel sent but those of the connection.
func (d *Delivery) PassedOn() map[string][]string {
	if d.Source == SourceSSE { // its headers are not those of a request
		return map[string][]string{"Content-Type": {"application/json"}}
	}
	h := make(map[string][]string, len(d.Header))
	for name, values := range d.Header {
		name = textproto.CanonicalMIMEHeaderKey(name) // the relay's JSON may spell it otherwise
		for _, v := range values {
			// Nor can HTTP send all that JSON may hold.
			if !OfConnection(name) && !strings.ContainsAny(v, "\r\n\x00") {
				h[name] = append(h[name], v)
			}
		}
	}
	for _, named := range d.Header["Connection"] {
		for name := range strings.SplitSeq(named, ",") {
			delete(h, textproto.CanonicalMIMEHeaderKey(textproto.TrimString(name)))
		}
	}
	return h
}
