package receiver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// Finding evidence hashes a body some twenty times, so it is limited: a flood of
	// garbage must not cost CPU time.
	maxHinted      = 64 << 10
	hintsPerSecond = 10
)

// limiter allows so many in each period; any number if every is 0.
type limiter struct {
	most  int
	every time.Duration

	mu     sync.Mutex
	period int64
	spent  int
}

func (l *limiter) allow(now time.Time) bool {
	if l.every == 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if period := now.UnixNano() / int64(l.every); period != l.period {
		l.period, l.spent = period, 0
	}
	l.spent++
	return l.spent <= l.most
}

// alterations are what tools between Svix and here are known to do to a body. Each undo
// reverts one of them, or returns nil if it does not apply. Re-serialising is apart.
var alterations = []struct {
	evidence string
	undo     func(body []byte) []byte
	hint     string
}{
	{"without_newline", trimNewlines, "it matches after trimming a trailing newline: something on the way added one"},
	{"with_newline", addNewline, "it matches with a trailing newline: something on the way trimmed it"},
	{"lf", toLF, "it matches with LF line ends: something on the way turned them into CRLF"},
	{"crlf", toCRLF, "it matches with CRLF line ends: something on the way turned them into LF"},
	{"gzip_inflated", inflate, "it matches after inflating: something on the way compressed the body after it was signed; switch that off"},
}

// form is one way to write a JSON text, or a part of it.
type form struct {
	evidence, words string
	of              func(body []byte) []byte // nil: unchanged
}

// Each re-serialised body is tried in all combinations of these, the simplest first.
var (
	orders = []form{{},
		{"provider_order", "with the provider's key order", func(b []byte) []byte { return providerOrder(b, schemaOrder) }},
		{"provider_order", "with the provider's key order", func(b []byte) []byte { return providerOrder(b, exampleOrder) }},
	}
	escapes = []form{{},
		{"escaped_json", `with \u escapes for what is not ASCII`, escape},
		{"unescaped_json", `without \u escapes`, unescape},
	}
	layouts = []form{
		{"compact_json", "as compact JSON", compact},
		{"spaced_json", "as JSON with spaces after ',' and ':'", spaced},
		{},
	}
)

// evidence names the alteration whose undoing makes a secret match, and says so in words.
// Without one, the words are what is only suspected. Both are "" if there is nothing to
// say, or hints are used up.
func (v *Verifier) evidence(h, judged http.Header, body []byte, now time.Time) (evidence, hint string) {
	if len(body) > maxHinted || !v.hints.allow(now) {
		return "", ""
	}
	for _, a := range alterations {
		if original := a.undo(body); original != nil {
			if _, ok := v.match(judged, original); ok {
				return a.evidence, a.hint
			}
		}
	}
	if !json.Valid(body) {
		return "", suspicion(h, body)
	}
	for _, order := range orders {
		for _, escaping := range escapes {
			for _, layout := range layouts {
				original := body
				var names, words []string
				for _, f := range [...]form{order, escaping, layout} { // the layout last: reordering makes it compact
					if f.of == nil {
						continue
					}
					if original = f.of(original); original == nil {
						break
					}
					names, words = append(names, f.evidence), append(words, f.words)
				}
				if len(names) == 0 || original == nil {
					continue
				}
				if _, ok := v.match(judged, original); ok {
					slices.Reverse(names)
					slices.Reverse(words)
					return strings.Join(names, "+"), "it matches " + strings.Join(words, ", ") + ": the body was re-serialised on the way"
				}
			}
		}
	}
	return "", suspicion(h, body)
}

// suspicion says what may have happened to a body, where no undoing proves it.
func suspicion(h http.Header, body []byte) string {
	switch {
	case h.Get("Accept-Language") == "*" && h.Get("Sec-Fetch-Mode") == "cors" && h.Get("Timestamp") != "":
		return "suspected: smee-client passed it on; smee.io parses JSON and writes it anew, so use another tunnel"
	case bytes.Contains(body, []byte("\uFFFD")):
		return "suspected: something on the way took the body for text and replaced bytes; it holds U+FFFD"
	}
	keys, whole := shapeOf(body)
	switch {
	case !slices.Contains(keys, "event_type"): // no event of Aspect's
	case slices.IsSorted(keys):
		return "suspected: something on the way sorted the keys of the JSON; they are in alphabetical order"
	case whole:
		return "suspected: something on the way wrote numbers anew, such as 1.0 as 1; all numbers in the JSON are whole"
	}
	return ""
}

// shapeOf returns the keys of a JSON object, and whether it holds numbers, all of them
// whole.
func shapeOf(body []byte) (keys []string, whole bool) {
	in := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	fraction := false
	for {
		token, err := in.ReadToken()
		if err != nil {
			return keys, whole && !fraction
		}
		switch token.Kind() {
		case jsontext.KindNumber:
			whole = true
			fraction = fraction || strings.ContainsAny(token.String(), ".eE")
		case jsontext.KindString:
			if kind, members := in.StackIndex(in.StackDepth()); in.StackDepth() == 1 && kind == jsontext.KindBeginObject && members%2 == 1 {
				keys = append(keys, token.String())
			}
		}
	}
}

func trimNewlines(body []byte) []byte { return bytes.TrimRight(body, "\r\n") }
func addNewline(body []byte) []byte   { return append(bytes.Clone(body), '\n') }
func toLF(body []byte) []byte         { return bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")) }
func toCRLF(body []byte) []byte       { return bytes.ReplaceAll(toLF(body), []byte("\n"), []byte("\r\n")) }

// inflate undoes Content-Encoding: gzip, up to MaxBody bytes.
func inflate(body []byte) []byte {
	in, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(in, MaxBody+1))
	if err != nil || len(out) > MaxBody {
		return nil
	}
	return out
}

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

// escape writes what is not ASCII as \u escapes, as Python's json.dumps does; nil if
// there is nothing.
func escape(body []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(body)+len(body)/4)
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		if i += n; r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		units := []rune{r}
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			units = []rune{high, low}
		}
		for _, u := range units {
			out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
		}
	}
	if len(out) == len(body) {
		return nil
	}
	return out
}

// unescape writes \u escapes of what may stand in JSON as it is, and \/, as the
// characters that they mean; nil if there are none.
func unescape(body []byte) []byte {
	out := make([]byte, 0, len(body))
	unit := func(i int) rune {
		if i+6 > len(body) || body[i] != '\\' || body[i+1] != 'u' {
			return -1
		}
		u, err := strconv.ParseUint(string(body[i+2:i+6]), 16, 16)
		if err != nil {
			return -1
		}
		return rune(u)
	}
	for i := 0; i < len(body); {
		c := body[i]
		if c != '\\' || i+1 == len(body) {
			out = append(out, c)
			i++
			continue
		}
		r := unit(i)
		pair := utf16.DecodeRune(r, unit(i+6))
		switch {
		case body[i+1] == '/':
			out = append(out, '/')
			i += 2
		case pair != utf8.RuneError:
			out = utf8.AppendRune(out, pair)
			i += 12
		case r >= ' ' && r != '"' && r != '\\' && !utf16.IsSurrogate(r):
			out = utf8.AppendRune(out, r)
			i += 6
		default:
			out = append(out, c, body[i+1])
			i += 2
		}
	}
	if len(out) == len(body) {
		return nil
	}
	return out
}

// The order of keys that the provider's page shows: of the envelope, and of all within it
// in the schema, and in the example, where the features stand the other way round.
var (
	envelopeOrder = []string{"timestamp", "user_id", "event_id", "event_type", "data"}
	schemaOrder   = []string{"id", "asset_id", "features", "proxy", "preview", "visual", "transcription", "user_id", "created", "updated"}
	exampleOrder  = []string{"id", "asset_id", "features", "transcription", "visual", "preview", "proxy", "user_id", "created", "updated"}
)

// providerOrder writes compact JSON with the keys in the provider's order, unknown ones
// behind them; nil if that changes nothing.
func providerOrder(body []byte, within []string) []byte {
	was := compact(body)
	out := ordered(nil, was, envelopeOrder, within)
	if bytes.Equal(out, was) {
		return nil
	}
	return out
}

// ordered appends a JSON value with its keys in an order, and those of the values in it in
// another.
func ordered(out, value []byte, order, within []string) []byte {
	if len(value) == 0 || value[0] != '{' {
		return append(out, value...)
	}
	type member struct {
		name, value []byte
		place       int
	}
	var members []member
	in := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, _ = in.ReadToken()
	for in.PeekKind() != jsontext.KindEndObject {
		name, err := in.ReadValue()
		name = bytes.Clone(name)
		v, err2 := in.ReadValue()
		if err != nil || err2 != nil {
			return append(out, value...)
		}
		place := slices.Index(order, strings.Trim(string(name), `"`))
		if place < 0 {
			place = len(order)
		}
		members = append(members, member{name, bytes.Clone(v), place})
	}
	slices.SortStableFunc(members, func(a, b member) int { return a.place - b.place })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = ordered(append(append(out, m.name...), ':'), m.value, within, within)
	}
	return append(out, '}')
}
