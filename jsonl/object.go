// Package jsonl writes lines of JSON that are safe to print: no text in them can control a
// terminal or disguise the line.
package jsonl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Object is a JSON object that is written key by key. By jsontext's encoder an event
// line costs 1.7 times as much, and its texts would still have to be escaped here.
type Object []byte

// Begin opens an object or an array, End closes it.
func (o *Object) Begin(bracket byte) { *o = append(*o, bracket) }
func (o *Object) End(bracket byte)   { *o = append(*o, bracket) }

// Start opens the object of a line, with its kind and time.
func (o *Object) Start(kind string, at time.Time) {
	o.Begin('{')
	o.Text("type", kind)
	o.Time("time", at)
}

// Next puts a comma between two members.
func (o *Object) Next() {
	switch b := *o; b[len(b)-1] {
	case '{', '[':
	default:
		*o = append(b, ',')
	}
}

// Key begins a member; what is appended next is its value.
func (o *Object) Key(name string) {
	o.Next()
	*o = append(AppendText(*o, name), ':')
}

// Open begins a member that is an object or an array.
func (o *Object) Open(name string, bracket byte) {
	o.Key(name)
	o.Begin(bracket)
}

// Null, Number, Bool and Text write a member.
func (o *Object) Null(key string) {
	o.Key(key)
	*o = append(*o, "null"...)
}

func (o *Object) Number(key string, n int64) {
	o.Key(key)
	*o = strconv.AppendInt(*o, n, 10)
}

func (o *Object) Bool(key string, is bool) {
	o.Key(key)
	*o = strconv.AppendBool(*o, is)
}

func (o *Object) Text(key, text string) {
	o.Key(key)
	*o = AppendText(*o, text)
}

// TextOrNull writes null for the empty text.
func (o *Object) TextOrNull(key, text string) {
	if text == "" {
		o.Null(key)
	} else {
		o.Text(key, text)
	}
}

// NumberOrNull writes null for 0.
func (o *Object) NumberOrNull(key string, n int64) {
	if n == 0 {
		o.Null(key)
	} else {
		o.Number(key, n)
	}
}

// Time writes a [Time].
func (o *Object) Time(key string, t time.Time) {
	o.Key(key)
	*o = appendTime(*o, t)
}

// AppendText appends s as a JSON string, escaped like [Safe].
func AppendText(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == '"' || r == '\\' {
			b = append(append(b, s[from:i]...), '\\', byte(r))
			from = i + n
		} else if r < ' ' || escaped(r, n) {
			b = fmt.Appendf(append(b, s[from:i]...), `\u%04x`, r)
			from = i + n
		}
		i += n
	}
	return append(append(b, s[from:]...), '"')
}

// Time is a time as every line has it: in UTC with microseconds, as precise as the
// journal's, or null for the zero time.
type Time time.Time

// MarshalJSON makes Time a [json.Marshaler].
func (t Time) MarshalJSON() ([]byte, error) { return appendTime(nil, time.Time(t)), nil }

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	b = t.UTC().AppendFormat(append(b, '"'), time.RFC3339) // three times as fast as other layouts
	point := len(b) - 1
	b = strconv.AppendInt(b[:point], 1e6+int64(t.Nanosecond())/1e3, 10)
	b[point] = '.'
	return append(b, 'Z', '"')
}

// Line is a value as encoding/json writes it, in one safe line.
func Line(v any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // unreadable in URLs
	err := encoder.Encode(v)
	return Safe(buf.Bytes()), err
}

// Safe escapes everything in encoded JSON that could control a terminal or disguise
// the content of a line: DEL, C1, bidirectional controls, U+2028 and U+2029 (the
// encoder has escaped C0). Invalid UTF-8 becomes \ufffd. The result means the same to a
// JSON parser. Safe JSON is returned without a copy.
func Safe(b []byte) []byte {
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
		}
		if escaped(r, n) {
			return safe(b, i)
		}
		i += n
	}
	return b
}

// safe implements Safe; b is safe before byte i.
func safe(b []byte, i int) []byte {
	safe := append(make([]byte, 0, len(b)+len(b)/8), b[:i]...)
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if escaped(r, n) {
			safe = fmt.Appendf(safe, `\u%04x`, r)
		} else {
			safe = append(safe, b[i:i+n]...)
		}
		i += n
	}
	return safe
}

// escaped reports whether a character of n bytes is escaped.
func escaped(r rune, n int) bool {
	switch {
	case r < 0x7f:
		return false
	case r <= 0x9f, // DEL, C1
		r == '\u061c', r == '\u200e', r == '\u200f', // directional marks
		'\u2028' <= r && r <= '\u202e', // separators, embeddings, overrides
		'\u2066' <= r && r <= '\u2069': // isolates
		return true
	}
	return r == utf8.RuneError && n == 1
}
