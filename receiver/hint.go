package receiver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	// Finding a hint hashes a body several times, so it is limited: a flood of garbage
	// must not cost CPU time.
	maxHinted      = 64 << 10
	hintsPerSecond = 10
)

// limiter allows hintsPerSecond hints.
type limiter struct {
	mu     sync.Mutex
	second int64
	spent  int
}

func (l *limiter) allow(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if second := now.Unix(); second != l.second {
		l.second, l.spent = second, 0
	}
	l.spent++
	return l.spent <= hintsPerSecond
}

// alterations are what tools between Svix and here are known to do to a body. Each undo
// reverts one of them, or returns nil if it does not apply.
var alterations = []struct {
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

// hint names the alteration whose undoing makes a secret match; "" if there is none, or
// hints are used up.
func (v *Verifier) hint(judged http.Header, body []byte, now time.Time) string {
	if len(body) > maxHinted || !v.hints.allow(now) {
		return ""
	}
	for _, a := range alterations {
		if original := a.undo(body); original != nil {
			if _, ok := v.match(judged, original); ok {
				return a.hint
			}
		}
	}
	return ""
}

func trimNewlines(body []byte) []byte { return bytes.TrimRight(body, "\r\n") }
func addNewline(body []byte) []byte   { return append(bytes.Clone(body), '\n') }
func toLF(body []byte) []byte         { return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) }
func toCRLF(body []byte) []byte       { return bytes.ReplaceAll(toLF(body), []byte("\n"), []byte("\r\n")) }

func compact(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return nil
	}
	return out.Bytes()
}

// spaced is the layout of Python's json.dumps.
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
