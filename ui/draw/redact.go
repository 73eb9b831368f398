package draw

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// leastPart is the least length of a part of a secret, in bytes: frames break and cut text.
const leastPart = 6

// Redact replaces parts of a secret, printable ASCII, in a frame that is kept by
// asterisks, also across line breaks and styles.
func Redact(frame, secret string) string {
	if len(secret) < leastPart {
		return frame
	}
	var text []byte // of the frame, without styles
	var at []int    // where its bytes stand in the frame
	var state byte
	for pos := 0; pos < len(frame); {
		seq, width, n, next := ansi.DecodeSequence(frame[pos:], state, nil)
		if width > 0 || seq == "\n" {
			for i := range n {
				text, at = append(text, seq[i]), append(at, pos+i)
			}
		}
		pos, state = pos+n, next
	}
	redacted := []byte(frame)
	for i := 0; i+leastPart <= len(text); i++ {
		if strings.Contains(secret, string(text[i:i+leastPart])) {
			for _, pos := range at[i : i+leastPart] {
				redacted[pos] = '*'
			}
		}
	}
	return string(redacted)
}
