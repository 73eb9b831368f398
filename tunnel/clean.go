package tunnel

import (
	"strings"
	"unicode"
)

// maxWords bounds a text from outside that goes into a sentence, in bytes.
const maxWords = 300

// clean makes a text from outside fit into one line: nothing in it controls a
// terminal, and it is short.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + "…"
	}
	return s
}
