// Package clean makes text from outside safe to show: [Text] on a terminal, [Line] in a
// message, [Quoted] as a value in one, [URL] as an address, [RedactHeaders] as headers.
package clean

import (
	"net/url"
	"regexp"
	"strconv"
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

// sequences matches what terminals act on: CSI, OSC and two-character escapes.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)`)

// Line is the text of a server or a program as part of a message: at most 200 characters
// of [Text], without whole escape sequences, each stretch of white space as one blank.
func Line(s string) string {
	const most = 200
	if len(s) > 16*most { // what is removed may be long
		s = s[:16*most]
	}
	return Cut(strings.Join(strings.Fields(Text(sequences.ReplaceAllString(s, ""))), " "), most)
}

// Cut is s with an ellipsis for all beyond so many characters.
func Cut(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// Quoted puts at most 80 characters of a text between quotation marks. Quoting escapes
// what could control a terminal.
func Quoted(s string) string {
	const most = 80
	if cut := Cut(s, most); cut != s {
		return strconv.Quote(strings.TrimSuffix(cut, "…")) + "…"
	}
	return strconv.Quote(s)
}

// URL is an address without user info, which may be a token even without a password, and
// without its query. What is no URL is returned only if it cannot hold these.
func URL(address string) string {
	u, err := url.Parse(address)
	switch {
	case err == nil:
	case strings.ContainsAny(address, "@?"):
		return "(no URL)"
	default:
		return address
	}
	u.User = nil
	if u.RawQuery != "" {
		u.RawQuery = "…"
	}
	return u.String()
}

var login = regexp.MustCompile(`(:(?:\\?/){2})[^/?#\s"]*@`)

// NoLogin removes user:password@ from all URLs in a text, which may be JSON.
func NoLogin(text string) string { return login.ReplaceAllString(text, "$1") }

var signingSecret = regexp.MustCompile(`whs(ec|k1?)_[A-Za-z0-9+/=_*-]*`)

// NoSecret is NoLogin that masks signing secrets too.
func NoSecret(text string) string {
	return signingSecret.ReplaceAllString(NoLogin(text), "whs${1}_****")
}

// ShellWord is a text as one word of a POSIX shell, quoted if necessary.
func ShellWord(s string) string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:%@+,"
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Redacted stands in place of what is redacted, MaskedUser in place of a user's id: a UUID,
// because handlers expect one.
const (
	Redacted   = "[redacted]"
	MaskedUser = "00000000-0000-0000-0000-000000000000"
)

// IsCredential reports whether a header holds a credential, by its name.
func IsCredential(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range []string{"authorization", "cookie", "token", "secret", "password", "key", "credential", "jwt", "assertion"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}

// RedactHeaders returns the headers with credentials redacted. The other values are
// shared.
func RedactHeaders(h map[string][]string) map[string][]string {
	redacted := make(map[string][]string, len(h))
	for name, values := range h {
		if IsCredential(name) {
			values = []string{Redacted}
		}
		redacted[name] = values
	}
	return redacted
}
