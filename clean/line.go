package clean

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

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
