package receiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	// Guessing hashes a body several times, so it is limited to small bodies and a
	// few a second: a flood of garbage must not get CPU time for free.
	maxHinted      = 64 << 10
	hintsPerSecond = 10
)

// hinter limits the guesses to hintsPerSecond.
type hinter struct {
	mu     sync.Mutex
	second int64
	spent  int
}

func (g *hinter) allow(now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if second := now.Unix(); second != g.second {
		g.second, g.spent = second, 0
	}
	g.spent++
	return g.spent <= hintsPerSecond
}

// guesses are the ways in which tools between Svix and here are known to alter a
// body. Each undo reverts one of them, or returns nil if it does not apply.
var guesses = []struct {
	undo func(body []byte) []byte
	hint string
}{
	{trimNewlines, "it matches after trimming a trailing newline: something on the way added one"},
	{addNewline, "it matches with a trailing newline: something on the way trimmed it"},
	{toLF, "it matches with LF line ends: something on the way turned them into CRLF"},
	{toCRLF, "it matches with CRLF line ends: something on the way turned them into LF"},
	{compact, "it matches as compact JSON: the body was re-serialised on the way"},
	{spaced, "it matches as JSON with spaces after ',' and ':': the body was re-serialised on the way"},
}

// hint guesses why no secret matches; "" if no guess is right, or there were too
// many in this second.
func (v *Verifier) hint(judged http.Header, body []byte, now time.Time) string {
	if len(body) > maxHinted || !v.hints.allow(now) {
		return ""
	}
	for _, g := range guesses {
		original := g.undo(body)
		if original == nil {
			continue
		}
		if _, ok := v.match(judged, original); ok {
			return g.hint
		}
	}
	return ""
}

func trimNewlines(body []byte) []byte { return bytes.TrimRight(body, "\r\n") }

func addNewline(body []byte) []byte { return append(bytes.Clone(body), '\n') }

func toLF(body []byte) []byte { return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) }

func toCRLF(body []byte) []byte {
	return bytes.ReplaceAll(toLF(body), []byte("\n"), []byte("\r\n"))
}

func compact(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return nil
	}
	return out.Bytes()
}

// spaced is the layout of Python's json.dumps, which JavaScript's
// JSON.stringify takes away.
func spaced(body []byte) []byte {
	tight := compact(body)
	if tight == nil {
		return nil
	}
	out := make([]byte, 0, len(tight)+len(tight)/4)
	quoted, escaped := false, false
	for _, c := range tight {
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}
