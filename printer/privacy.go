package printer

import (
	"bytes"
	"encoding/json"
	"strings"

	"aspectop/model"
)

// Privacy says what of a delivery is kept back when it leaves the program. The
// zero Privacy keeps back credentials: the values of headers such as
// Authorization and Cookie.
type Privacy struct {
	// WithCredentials lets those pass.
	WithCredentials bool
	// MaskUsers puts nobody in the place of user ids in bodies, so that no
	// signature holds any more. Of a body that is no JSON, nobody can say where
	// they are; it is kept back as a whole.
	MaskUsers bool
}

// Redacted stands for what was kept back.
const redacted = "[redacted]"

// nobody stands for a user's id. It is a UUID, as handlers expect one.
const nobody = "00000000-0000-0000-0000-000000000000"

// apply takes out of the delivery what is to be kept back. What the delivery
// shares with others is not changed.
func (p Privacy) apply(d *model.Delivery) {
	if !p.WithCredentials {
		d.Header = WithoutCredentials(d.Header)
	}
	if p.MaskUsers && d.Body != nil {
		d.Body = maskUsers(d.Body)
	}
}

// WithoutCredentials returns the headers with the values of those kept back that
// would let their reader in somewhere.
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

// isCredential reports whether a header's value would let its reader in
// somewhere: the standard ones, and whatever is named like one.
func isCredential(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "credential", "jwt", "assertion"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// maskUsers returns the body with nobody for the value of every key user_id, at
// any depth, and wherever else such a value stands.
func maskUsers(body []byte) []byte {
	if !json.Valid(body) {
		return []byte(redacted)
	}
	var (
		masked []byte
		users  []string
		copied int64 // how much of the body is in masked
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

// shortestUser is the least length at which a user's id is looked for outside
// its key: a shorter one stands in other words by chance.
const shortestUser = 8

// valueStart is where the value behind a key begins; from is the key's end.
func valueStart(body []byte, from int64) int64 {
	for bytes.IndexByte([]byte(" \t\r\n:"), body[from]) >= 0 {
		from++
	}
	return from
}
