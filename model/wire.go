package model

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// wireEnvelope and wireTask name only what is read of a body.
type (
	wireEnvelope struct {
		Timestamp, UserID, EventID, Type string
		Success                          bool
		Task                             wireTask // without an ID if there is none
	}
	wireTask struct {
		ID, AssetID, UserID, Created, Updated string
		Features                              []Feature
		// Only notes of this program say these.
		Gone      bool
		Timestamp string
	}
)

// readEnvelope reads a body. ok is false if it is not one JSON object.
//
// Names count as they are spelled; of a name that is repeated, the last member
// counts. A value whose type is not the documented one is no error: where text
// is expected, any value is taken as it is written. Invalid UTF-8 is written as in
// [ValidText].
func readEnvelope(body []byte) (w wireEnvelope, ok bool) {
	ok = readBody(body, func(r *reader, name []byte) error {
		switch string(name) {
		case "timestamp":
			return r.text(&w.Timestamp)
		case "user_id":
			return r.text(&w.UserID)
		case "event_id":
			return r.text(&w.EventID)
		case "event_type":
			return r.text(&w.Type)
		case "success":
			return r.isTrue(&w.Success)
		case "data":
			w.Task = wireTask{}
			return r.object(func(r *reader, name []byte) error {
				if string(name) != "task" {
					return r.dec.SkipValue()
				}
				w.Task = wireTask{}
				return r.object(w.Task.member)
			})
		}
		return r.dec.SkipValue()
	})
	return w, ok
}

// readTask reads a body that is a task itself, by the same rules.
func readTask(body []byte) (w wireTask, ok bool) {
	ok = readBody(body, w.member)
	return w, ok
}

func (w *wireTask) member(r *reader, name []byte) error {
	switch string(name) {
	case "id":
		return r.text(&w.ID)
	case "asset_id":
		return r.text(&w.AssetID)
	case "user_id":
		return r.text(&w.UserID)
	case "created":
		return r.text(&w.Created)
	case "updated":
		return r.text(&w.Updated)
	case "features":
		value, err := r.dec.ReadValue()
		if err == nil {
			w.Features = knownFeatures.get(value)
		}
		return err
	case "gone":
		return r.isTrue(&w.Gone)
	case "timestamp":
		return r.text(&w.Timestamp)
	}
	return r.dec.SkipValue()
}

type reader struct {
	dec jsontext.Decoder
	in  bytes.Buffer
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// readBody calls member with the name of each member of the object that body is;
// member reads the value. It returns false if body is anything else than one
// JSON object.
func readBody(body []byte, member func(r *reader, name []byte) error) bool {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.in = *bytes.NewBuffer(body)
	r.dec.Reset(&r.in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if r.dec.PeekKind() != '{' || r.object(member) != nil {
		return false
	}
	_, err := r.dec.ReadToken()
	return err == io.EOF
}

// object is readBody for the value ahead. A value of another type is skipped.
func (r *reader) object(member func(r *reader, name []byte) error) error {
	if r.dec.PeekKind() != '{' {
		return r.dec.SkipValue()
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return err
	}
	for r.dec.PeekKind() != '}' {
		name, err := r.dec.ReadValue()
		if err != nil {
			return err
		}
		if err := member(r, unquoted(name)); err != nil {
			return err
		}
	}
	_, err := r.dec.ReadToken()
	return err
}

func (r *reader) text(into *string) error {
	value, err := r.dec.ReadValue()
	if err == nil {
		*into = text(value)
	}
	return err
}

func (r *reader) isTrue(into *bool) error {
	value, err := r.dec.ReadValue()
	*into = string(value) == "true"
	return err
}

// text is a JSON value as text: a string as it is, nothing for null, any other
// value as it is written, without the spaces.
func text(value jsontext.Value) string {
	switch value.Kind() {
	case '"':
		return string(unquoted(value))
	case 'n':
		return ""
	case '{', '[':
		value = validJSON(value).Clone()
		value.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	}
	return string(value)
}

func unquoted(value jsontext.Value) []byte {
	if inside := value[1 : len(value)-1]; bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return inside
	}
	plain, _ := jsontext.AppendUnquote(nil, validJSON(value)) // the error is an unpaired surrogate, which it replaces
	return plain
}

// ValidText is text with each byte that is not UTF-8 written as \xff is, so that two
// ids that differ are never shown alike.
func ValidText(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return escapeInvalid(text, `\x%02x`)
}

// validJSON is JSON whose texts say what ValidText would make of them.
func validJSON(value jsontext.Value) jsontext.Value {
	if utf8.Valid(value) {
		return value
	}
	return jsontext.Value(escapeInvalid(string(value), `\\x%02x`))
}

func escapeInvalid(text, format string) string {
	var b strings.Builder
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], "\ufffd") {
			fmt.Fprintf(&b, format, text[i])
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
