package tty

import "unicode/utf8"

// state is what next found.
type state int

const (
	whole state = iota
	unfinished
	broken // to be dropped
)

// pasteEnd ends a bracketed paste.
const pasteEnd = "\x1b[201~"

// next returns the length of what b begins with: one sequence or character. A control
// character ends a sequence that it cannot be part of, so that ctrl+c works at all times.
func next(b []byte, paste bool) (n int, is state) {
	switch {
	case paste:
		return nextPasted(b)
	case b[0] != '\x1b' && !utf8.FullRune(b):
		return len(b), unfinished
	case b[0] != '\x1b':
		_, n := utf8.DecodeRune(b)
		return n, whole
	case len(b) == 1:
		return 1, unfinished
	}
	switch b[1] {
	case '\x1b':
		if len(b) > 2 && b[2] != '[' && b[2] != 'O' {
			return 1, whole
		}
		n, is := next(b[1:], false)
		return n + 1, is
	case '[':
		return nextControl(b)
	case 'O':
		for n = 2; n < len(b); n++ {
			if b[n] < '0' || b[n] > '9' {
				return n + 1, whole
			}
		}
		return n, unfinished
	case ']', 'P', '_', '^', 'X':
		return nextString(b)
	}
	n, is = next(b[1:], false)
	return n + 1, is
}

// nextControl is next for ESC [, parameters and a final byte.
func nextControl(b []byte) (n int, is state) {
	for n = 2; n < len(b); n++ {
		switch c := b[n]; {
		case c < ' ' || c > '~':
			return n, broken
		case n == 2 && (c == 'M' || c == '['): // a mouse of X10; a key of Linux's console
			more := map[byte]int{'M': 4, '[': 2}[c]
			if len(b) < n+more {
				return len(b), unfinished
			}
			return n + more, whole
		case c >= '@':
			return n + 1, whole
		}
	}
	return n, unfinished
}

// nextString is next for what ends with ST or BEL.
func nextString(b []byte) (n int, is state) {
	for n = 2; n < len(b); n++ {
		switch c := b[n]; {
		case c == '\a':
			return n + 1, whole
		case c == '\x1b' && n+1 == len(b):
			return len(b), unfinished
		case c == '\x1b' && b[n+1] == '\\':
			return n + 2, whole
		case c < ' ':
			return n, broken
		}
	}
	return n, unfinished
}

// nextPasted is next within a paste: text up to what may be its end.
func nextPasted(b []byte) (n int, is state) {
	for n = range b {
		rest := b[n:]
		switch {
		case len(rest) >= len(pasteEnd) && string(rest[:len(pasteEnd)]) == pasteEnd && n == 0:
			return len(pasteEnd), whole
		case string(rest[:min(len(rest), len(pasteEnd))]) == pasteEnd[:min(len(rest), len(pasteEnd))],
			rest[0] >= utf8.RuneSelf && !utf8.FullRune(rest):
			if n == 0 {
				return len(b), unfinished
			}
			return n, whole
		}
	}
	return len(b), whole
}
