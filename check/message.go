package check

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"aspectop/demo"
	"aspectop/jsonl"
)

// The invented task and user that every message is about.
const (
	TaskID = "00000000-0000-4000-8000-00000000c4ec"
	UserID = "00000000-0000-4000-8000-00000000c4ed"
)

// newEvent is an event that happened so long ago, in minimal JSON, under a new id.
// Microseconds that end in 1 are written alike by every library for times.
func newEvent(kind string, ago time.Duration) demo.Message {
	at := time.Now().Add(-ago).Truncate(10 * time.Microsecond).Add(time.Microsecond)
	e := demo.Event{Type: kind, User: UserID, At: at}
	if strings.HasPrefix(kind, "task.") {
		e.Task = TaskID
	}
	return e.Message(rand.Int64())
}

// form is a way to write JSON. The zero form is minimal JSON, in the order as parsed.
type form struct {
	name        string // as in a finding
	spaced      bool   // after commas and colons
	lines       bool   // a member on each
	text        string // of what is empty, whatever the body is
	ascii, html bool   // escape everything beyond ASCII, or < > & as Go does
	line        bool   // a line break at the end
	// order sorts the members of an object and drops some; nil keeps them.
	order func(keys []string) []string
}

// rewrite parses a body and writes it again. What is not JSON stays as it is.
func (f form) rewrite(body []byte) []byte {
	if f.name == "empty" {
		return []byte(f.text)
	}
	out := jsontext.Value(bytes.Clone(body))
	if f.order != nil {
		out = jsonl.Ordered(nil, body, f.order)
	}
	err := out.Format(jsontext.PreserveRawStrings(false), jsontext.EscapeForHTML(f.html), jsontext.EscapeForJS(f.html),
		jsontext.SpaceAfterComma(f.spaced), jsontext.SpaceAfterColon(f.spaced), jsontext.Multiline(f.lines))
	switch {
	case err != nil:
		return body
	case f.ascii:
		out = jsonl.ASCII(out)
	}
	if f.line {
		out = append(out, '\n')
	}
	return out
}

func sorted(keys []string) []string { return slices.Sorted(slices.Values(keys)) }

func reversed(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Reverse(keys)
	return keys
}

// fields are the members that Aspect documents, in one order that is right for the
// envelope and for the task.
var fields = []string{
	"timestamp", "id", "asset_id", "features", "user_id", "event_id", "event_type", "data", "task", "created", "updated", "state",
}

// typed orders members as a struct does, and drops those that it does not have; features
// orders a map of them.
func typed(features func([]string) []string) func([]string) []string {
	return func(keys []string) []string {
		if slices.Contains(keys, "visual") {
			return features(keys)
		}
		return listed(fields...)(keys)
	}
}

// listed are those names that there are, in this order.
func listed(names ...string) func([]string) []string {
	return func(keys []string) []string {
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(keys, name) })
	}
}

// odd is how the body is written that proves a form: in reverse order and with spaces, it
// differs from itself in every form.
var odd = form{lines: true, order: reversed}

// forms are what mistaken handlers verify in place of the body, each different from odd and
// from the others.
var forms = []form{
	{name: "minimal_json"},
	{name: "python_json", spaced: true},
	{name: "sorted_json", order: sorted},
	{name: "python_json", spaced: true, order: sorted},
	{name: "go_json", order: sorted, line: true, html: true}, // as json.Encoder writes
	{name: "struct", order: typed(slices.Clone[[]string])},
	{name: "struct", order: typed(sorted)},
	{name: "struct", order: typed(listed("proxy", "preview", "visual", "transcription"))},
	{name: "struct", order: typed(listed("transcription", "visual", "preview", "proxy"))},
	{name: "empty"},             // what is left of a body that was read before
	{name: "empty", text: "{}"}, // what Express 4, PHP and Go make of one that nothing has parsed
	{name: "empty", text: "[]"},
	{name: "empty", text: "null"},
}

// alike are the forms that differ from f only where a body holds more than ASCII, or < > &.
func (f form) alike() []form {
	ascii, html := f, f
	ascii.ascii, html.html = true, true
	switch f.name {
	case "minimal_json":
		ascii.name = "python_json" // no other library escapes in minimal JSON
		return []form{f, ascii, html}
	case "sorted_json":
		html.name = "go_json"
		return []form{html, f, ascii}
	case "python_json":
		return []form{ascii, f}
	}
	return []form{f}
}

// formWords name a form, and what it loses.
var formWords = map[string][2]string{
	"minimal_json": {"minimal JSON", "with spaces (svix.ping has one), 1.0, \\u00e9, \\/ or a key twice"},
	"python_json":  {"JSON with a space after each comma and colon, or with all but ASCII escaped", "in minimal JSON, as Aspect's are, or with é"},
	"sorted_json":  {"minimal JSON with sorted keys", "in Aspect's order of keys"},
	"go_json":      {"minimal JSON with sorted keys and with < > & escaped", "in Aspect's order of keys"},
	"struct":       {"the fields that it knows, in its order", "with spaces (svix.ping has one) or with a new field"},
}

// padded is a body with spaces inside the features, so that it is of this size.
func padded(body []byte, size int) []byte {
	at := bytes.Index(body, []byte(`"features":{`)) + len(`"features":{`)
	return slices.Concat(body[:at], bytes.Repeat([]byte{' '}, max(0, size-len(body))), body[at:])
}

// with is a body with another member in front of the object of this name.
func with(body []byte, object, member string) []byte {
	return bytes.Replace(body, []byte(`"`+object+`":{`), []byte(`"`+object+`":{`+member+`,`), 1)
}

// named is a body with a member "name" in its task, which no documented event has.
func named(body []byte, name string) []byte { return with(body, "task", `"name":"`+name+`"`) }

// latin1 is what is left of UTF-8 that was read as Latin-1.
func latin1(body []byte) []byte {
	runes := make([]rune, len(body))
	for i, c := range body {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}
