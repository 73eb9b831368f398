package printer

import (
	"fmt"
	"unicode/utf8"
)

// SafeJSON returns encoded JSON with everything \u-escaped that could act on a
// terminal or make a line lie about its content: DEL, C1 and bidirectional
// controls (C0 is escaped by the encoder), and U+2028 and U+2029, which some
// take for line breaks. Bytes that are no UTF-8 become \ufffd. It means the
// same to a JSON parser. Text that needs nothing is returned as it is, without
// a copy.
func SafeJSON(b []byte) []byte {
	for i := 0; i < len(b); {
		r, n := rune(b[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(b[i:])
		}
		if escaped(r, n) {
			return safeJSON(b, i)
		}
		i += n
	}
	return b
}

// safeJSON does the work of SafeJSON; b needs nothing before byte i.
func safeJSON(b []byte, i int) []byte {
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
