package printer

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"aspectop/clean"
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

// shortestUser is the minimum length of a user id that is also replaced elsewhere: a
// shorter one may occur by chance.
const shortestUser = 8

// redact does not change what the delivery shares with others.
func (p Privacy) redact(d *model.Delivery) {
	if !p.WithCredentials {
		d.Header = clean.RedactHeaders(d.Header)
	}
	if p.MaskUsers && d.Body != nil {
		d.Body = maskUsers(d.Body)
	}
}

// maskUsers replaces the value of every key user_id, at any depth, and wherever else
// the same value occurs.
func maskUsers(body []byte) []byte {
	if !json.Valid(body) {
		return []byte(clean.Redacted)
	}
	var (
		masked []byte
		users  []string
		copied int64 // bytes of the body that are in masked
		isUser bool  // the next value is a user's id
	)
	in := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		within, members := in.StackIndex(in.StackDepth())
		isKey := within == jsontext.KindBeginObject && members%2 == 0
		kind := in.PeekKind()
		if isUser && (kind == jsontext.KindString || kind == jsontext.KindNumber) {
			value, err := in.ReadValue()
			if err != nil {
				return []byte(clean.Redacted)
			}
			masked = append(masked, body[copied:in.InputOffset()-int64(len(value))]...)
			copied = in.InputOffset()
			if kind == jsontext.KindNumber {
				masked = append(masked, '0')
			} else {
				user, _ := jsontext.AppendUnquote(nil, value)
				users = append(users, string(user))
				masked = append(masked, `"`+clean.MaskedUser+`"`...)
			}
			isUser = false
			continue
		}
		token, err := in.ReadToken()
		if err != nil { // the end, as the body is valid
			break
		}
		isUser = isKey && kind == jsontext.KindString && strings.EqualFold(token.String(), "user_id")
	}
	masked = append(masked, body[copied:]...)
	for _, user := range users {
		if len(user) >= shortestUser {
			masked = bytes.ReplaceAll(masked, []byte(user), []byte(clean.MaskedUser))
		}
	}
	return masked
}
