// Package clean makes text from outside safe to show: [Text] on a terminal, [Line] in a
// message, [Quoted] as a value in one, [URL] as an address, [RedactHeaders] as headers.
package clean

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks may follow one character. Scripts in use need
// three; more would draw over other lines.
const maxMarks = 3

// Text removes everything from s that could control a terminal or disguise the
// content or width of a line: control characters (C0, DEL, C1), bidirectional
// controls, invisible characters, and floods of combining marks. Tabs and line
// breaks become a space, invalid UTF-8 becomes U+FFFD. Emoji modifiers (joiners,
// variation selectors, skin tones) are removed because terminals disagree about their
// width, and a flag becomes its two letters.
//
// Clean text is returned without a copy.
func Text(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' {
			return text(s, i)
		}
	}
	return s
}

// text implements Text; s is clean before byte i.
func text(s string, i int) string {
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	marks := 0
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		i += n
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			r = ' '
		case '\U0001F1E6' <= r && r <= '\U0001F1FF': // regional indicators
			r += 'A' - '\U0001F1E6'
		case invisible(r):
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		b.WriteRune(r) // utf8.RuneError for invalid UTF-8
	}
	return b.String()
}

// invisible reports whether r is removed.
func invisible(r rune) bool {
	switch {
	case r < ' ', 0x7f <= r && r <= 0x9f:
		return true
	case r == '\u00ad', // soft hyphen
		r == '\u034f', r == '\u061c', r == '\ufeff',
		0x115f <= r && r <= 0x1160, r == '\u3164', r == '\uffa0', // Hangul fillers
		0x17b4 <= r && r <= 0x17b5,
		0x180b <= r && r <= 0x180f,
		0x200b <= r && r <= 0x200f, // zero width, directional marks
		0x202a <= r && r <= 0x202e, // bidirectional embeddings and overrides
		0x2060 <= r && r <= 0x206f, // joiners, isolates, deprecated format characters
		0x20d0 <= r && r <= 0x20ff, // keycaps and other enclosing marks
		0xfe00 <= r && r <= 0xfe0f, // variation selectors
		0xfff0 <= r && r <= 0xfffb,
		0x1f3fb <= r && r <= 0x1f3ff, // skin tones
		0xe0000 <= r && r <= 0xe0fff: // tags, more variation selectors
		return true
	}
	// The rest of the format characters draw nothing, except for number signs.
	return unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
}

// Lines is Text for text with several lines.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = Text(lines[i])
	}
	return strings.Join(lines, "\n")
}
