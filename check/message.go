package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"aspectop/demo"
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

// node is a JSON value that keeps the order of its members.
type node struct {
	open byte // '{', '[', or 0 for a value
	text string
	// quoted says that a value is a string, and text what it holds.
	quoted bool
	keys   []string // of an object
	kids   []*node
}

// parseJSON returns nil for what is not JSON.
func parseJSON(body []byte) *node {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	n, err := readNode(d)
	if err != nil {
		return nil
	}
	return n
}

func readNode(d *json.Decoder) (*node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case string:
		return &node{text: v, quoted: true}, nil
	case nil:
		return &node{text: "null"}, nil
	case json.Delim:
		n := &node{open: byte(v)}
		for d.More() {
			if n.open == '{' {
				key, err := d.Token()
				if err != nil {
					return nil, err
				}
				n.keys = append(n.keys, key.(string))
			}
			kid, err := readNode(d)
			if err != nil {
				return nil, err
			}
			n.kids = append(n.kids, kid)
		}
		_, err := d.Token()
		return n, err
	default:
		return &node{text: fmt.Sprint(v)}, nil
	}
}

// at is the member with this path, nil if there is none.
func (n *node) at(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		i := slices.Index(n.keys, key)
		if i < 0 {
			return nil
		}
		n = n.kids[i]
	}
	return n
}

// add adds a member.
func (n *node) add(key string, value *node) {
	n.keys, n.kids = append(n.keys, key), append(n.kids, value)
}

// form is a way to write JSON. The zero form is minimal JSON, in the order as parsed.
type form struct {
	name        string // as in a finding
	comma       string // "" is ","
	colon       string // "" is ":"
	indent      string
	ascii, html bool // escape everything beyond ASCII, or < > & as Go does
	// order sorts the members of an object and drops some; nil keeps them.
	order func(keys []string) []string
}

// rewrite parses a body and writes it again. What is not JSON stays as it is.
func (f form) rewrite(body []byte) []byte {
	n := parseJSON(body)
	if n == nil {
		return body
	}
	return f.write(nil, n, "\n")
}

func (f form) write(b []byte, n *node, line string) []byte {
	if n.open == 0 {
		if n.quoted {
			return f.quote(b, n.text)
		}
		return append(b, n.text...)
	}
	b = append(b, n.open)
	order := n.keys
	if f.order != nil && n.open == '{' {
		order = f.order(n.keys)
	}
	inner := line + f.indent
	for i := range max(len(order), len(n.kids)-len(n.keys)) {
		if i > 0 {
			b = append(b, cmp.Or(f.comma, ",")...)
		}
		if f.indent != "" {
			b = append(b, inner...)
		}
		if n.open == '[' {
			b = f.write(b, n.kids[i], inner)
			continue
		}
		b = append(f.quote(b, order[i]), cmp.Or(f.colon, ":")...)
		b = f.write(b, n.at(order[i]), inner)
	}
	if f.indent != "" && len(n.kids) > 0 {
		b = append(b, line...)
	}
	return append(b, n.open+2) // '{' and '}', '[' and ']' are two apart
}

func (f form) quote(b []byte, text string) []byte {
	b = append(b, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ', f.html && strings.ContainsRune("<>&\u2028\u2029", r), f.ascii && r > '~' && r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		case f.ascii && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
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
var odd = form{indent: "  ", colon: ": ", order: reversed}

// forms are what mistaken handlers verify in place of the body, each different from odd and
// from the others.
var forms = []form{
	{name: "minimal_json"},
	{name: "python_json", comma: ", ", colon: ": "},
	{name: "sorted_json", order: sorted},
	{name: "python_json", comma: ", ", colon: ": ", order: sorted},
	{name: "struct", order: typed(slices.Clone[[]string])},
	{name: "struct", order: typed(sorted)},
	{name: "struct", order: typed(listed("proxy", "preview", "visual", "transcription"))},
	{name: "struct", order: typed(listed("transcription", "visual", "preview", "proxy"))},
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

// named is a body with a member "name" in its task, which no documented event has.
func named(body []byte, name string) []byte {
	n := parseJSON(body)
	n.at("data", "task").add("name", &node{text: name, quoted: true})
	return form{}.write(nil, n, "")
}

// latin1 is what is left of UTF-8 that was read as Latin-1.
func latin1(body []byte) []byte {
	runes := make([]rune, len(body))
	for i, c := range body {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}
