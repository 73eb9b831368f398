package jsonl

import (
	"fmt"
	"unicode/utf8"
)

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
