package printer

import (
	"bytes"
	"encoding/json"
	"strings"

	"aspectop/model"
)

// Privacy says what to redact in a delivery that leaves the program. The zero Privacy
// redacts credentials: the values of headers such as Authorization and Cookie.
type Privacy struct {
	// WithCredentials does not redact those.
	WithCredentials bool
	// MaskUsers replaces user ids in bodies, which invalidates the signatures. A body
	// that is not JSON is redacted completely.
	MaskUsers bool
}

// redacted replaces what is redacted.
const redacted = "[redacted]"

// nobody replaces a user's id. It is a UUID, because handlers expect one.
const nobody = "00000000-0000-0000-0000-000000000000"

// apply redacts the delivery. It does not change what the delivery shares with others.
func (p Privacy) apply(d *model.Delivery) {
	if !p.WithCredentials {
		d.Header = WithoutCredentials(d.Header)
	}
	if p.MaskUsers && d.Body != nil {
		d.Body = maskUsers(d.Body)
	}
}

// WithoutCredentials returns the headers with credentials redacted.
func WithoutCredentials(h map[string][]string) map[string][]string {
	clean := make(map[string][]string, len(h))
	for name, values := range h {
		if isCredential(name) {
			values = []string{redacted}
		}
		clean[name] = values
	}
	return clean
}

// isCredential reports whether a header contains a credential, judging by its name.
func isCredential(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "credential", "jwt", "assertion"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// maskUsers replaces the value of every key user_id, at any depth, and wherever else
// the same value occurs.
func maskUsers(body []byte) []byte {
	if !json.Valid(body) {
		return []byte(redacted)
	}
	var (
		masked []byte
		users  []string
		copied int64 // bytes of the body that are in masked
		inside []bool
		isKey  bool // the next string is a key
		isUser bool // the next value is a user's id
	)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	for {
		before := d.InputOffset()
		token, err := d.Token()
		if err != nil { // the end, as the body is valid
			break
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				inside = append(inside, t == '{')
			} else {
				inside = inside[:len(inside)-1]
			}
			isKey, isUser = len(inside) > 0 && inside[len(inside)-1], false
			continue
		case string:
			if isKey {
				isKey, isUser = false, strings.EqualFold(t, "user_id")
				continue
			}
			if isUser {
				users = append(users, t)
				masked = append(append(masked, body[copied:valueStart(body, before)]...), `"`+nobody+`"`...)
				copied = d.InputOffset()
			}
		case json.Number:
			if isUser {
				masked = append(append(masked, body[copied:valueStart(body, before)]...), '0')
				copied = d.InputOffset()
			}
		}
		isKey, isUser = len(inside) > 0 && inside[len(inside)-1], false
	}
	masked = append(masked, body[copied:]...)
	for _, user := range users {
		if len(user) >= shortestUser {
			masked = bytes.ReplaceAll(masked, []byte(user), []byte(nobody))
		}
	}
	return masked
}

// shortestUser is the minimum length of a user id that is also replaced elsewhere: a
// shorter one may occur by chance.
const shortestUser = 8

// valueStart is the start of the value after a key that ends at from.
func valueStart(body []byte, from int64) int64 {
	for bytes.IndexByte([]byte(" \t\r\n:"), body[from]) >= 0 {
		from++
	}
	return from
}
