package forward

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
)

const (
	tailBytes = 4096
	tailLines = 3
)

// tail keeps the last bytes that are written to it.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p[max(0, len(p)-tailBytes):]...)
	t.kept = t.kept[max(0, len(t.kept)-tailBytes):]
	return len(p), nil
}

// lines are the last lines that say something, as one line of plain text.
func (t *tail) lines() string {
	var said []string
	for line := range bytes.Lines(t.kept) {
		if text := plain(line); text != "" {
			said = append(said, text)
		}
	}
	return strings.Join(said[max(0, len(said)-tailLines):], " / ")
}

// sequences are what terminals act on: CSI, OSC, and escapes of two characters.
var sequences = regexp.MustCompile(`\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)`)

// plain is text without anything that could act on a terminal.
func plain(text []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(sequences.ReplaceAll(text, nil))))
}
