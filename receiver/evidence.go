package receiver

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"aspectop/jsonl"
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

// Re-serialised JSON is tried in all combinations of these, the simplest first.
var (
	orders  = [][]string{nil, schemaOrder, exampleOrder}
	escapes = [][2]string{{}, {"+escaped_json", `, with \u escapes for what is not ASCII`}, {"+unescaped_json", `, without \u escapes`}}
	layouts = [][2]string{{"compact_json", "compact JSON"}, {"spaced_json", "JSON with spaces after ',' and ':'"}}
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
	for _, order := range orders {
		name, words := "", ""
		if order != nil {
			if !bytes.Contains(body, []byte(`"event_type"`)) {
				break // no event of Aspect's
			}
			name, words = "+provider_order", ", with the provider's key order"
		}
		for _, escaping := range escapes {
			if escaping == escapes[1] && isASCII(body) || escaping == escapes[2] && !bytes.Contains(body, []byte(`\`)) {
				continue // it would change nothing
			}
			for _, layout := range layouts {
				original := rewritten(body, order, escaping[0], layout[0])
				if original == nil {
					continue
				}
				if _, ok := v.match(judged, original); ok {
					return layout[0] + escaping[0] + name,
						"it matches as " + layout[1] + escaping[1] + words + ": the body was re-serialised on the way"
				}
			}
		}
	}
	return "", suspicion(h, body)
}

// rewritten is a JSON text with its keys in another order, if it is not nil, and in another
// form; nil if it is none.
func rewritten(body []byte, order []string, escaping, layout string) []byte {
	out := jsontext.Value(bytes.Clone(body))
	spaces := layout == "spaced_json"
	err := out.Format(anyJSON, jsontext.PreserveRawStrings(escaping != "+unescaped_json"), jsontext.SpaceAfterComma(false))
	if err == nil && order != nil {
		out = jsonl.Ordered(nil, out, jsonl.By(order))
	}
	if err == nil && spaces {
		err = out.Format(anyJSON, jsontext.PreserveRawStrings(true), jsontext.SpaceAfterComma(true), jsontext.SpaceAfterColon(true))
	}
	switch {
	case err != nil:
		return nil
	case escaping == "+escaped_json":
		return jsonl.ASCII(out)
	}
	return out
}

var anyJSON = jsontext.AllowDuplicateNames(true)

// suspicion says what may have happened to a body, where no undoing proves it.
func suspicion(h http.Header, body []byte) string {
	switch {
	case strings.HasPrefix(claimedID(h), "probe_"):
		return "suspected: another aspectop tests this URL, which does not lead to it"
	case h.Get("Accept-Language") == "*" && h.Get("Sec-Fetch-Mode") == "cors" && h.Get("Timestamp") != "":
		return "suspected: smee-client passed it on; smee.io re-serialises JSON, so use another tunnel"
	case bytes.Contains(body, []byte("\uFFFD")):
		return "suspected: something on the way took the body for text and replaced bytes; it holds U+FFFD"
	}
	keys, whole := shapeOf(body)
	switch {
	case !slices.Contains(keys, "event_type"): // no event of Aspect's
	case slices.IsSorted(keys):
		return "suspected: something on the way sorted the keys of the JSON; they are in alphabetical order"
	case whole:
		return "suspected: something on the way rewrote numbers, such as 1.0 as 1; all numbers in the JSON are whole"
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

func isASCII(body []byte) bool {
	return !slices.ContainsFunc(body, func(c byte) bool { return c >= utf8.RuneSelf })
}

// The order of keys that the provider's page shows, of the envelope and of the task at once:
// in the schema, and in the example, where the features stand the other way round.
var (
	schemaOrder  = providerOrder("proxy", "preview", "visual", "transcription")
	exampleOrder = providerOrder("transcription", "visual", "preview", "proxy")
)

func providerOrder(features ...string) []string {
	return slices.Concat([]string{"timestamp", "id", "asset_id", "features"}, features,
		[]string{"user_id", "event_id", "event_type", "data", "created", "updated"})
}
