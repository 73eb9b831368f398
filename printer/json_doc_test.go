package printer

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// documented is docs/json.md: for each type of line its keys in order, with the
// types of their values, and the example.
type documented map[string]*struct {
	keys    []string
	types   map[string][]string
	example string
}

func readDocument(t *testing.T) documented {
	t.Helper()
	text, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := documented{}
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([^|]+) \\|")
	example := regexp.MustCompile("(?s)```json\n(.*?)\n```")
	for section := range strings.SplitSeq(string(text), "\n## ") {
		found := example.FindStringSubmatch(section)
		if found == nil {
			continue
		}
		name, _, _ := strings.Cut(section, "\n")
		line := &struct {
			keys    []string
			types   map[string][]string
			example string
		}{types: map[string][]string{}, example: found[1]}
		for _, r := range row.FindAllStringSubmatch(section, -1) {
			line.keys = append(line.keys, r[1])
			line.types[r[1]] = strings.Split(r[2], " or ")
		}
		doc[name] = line
	}
	return doc
}

// check holds a line to the document.
func (doc documented) check(t *testing.T, text string) {
	t.Helper()
	var head struct {
		Type string
		Time string
	}
	if err := json.Unmarshal([]byte(text), &head); err != nil {
		t.Errorf("%v in %s", err, text)
		return
	}
	if at, err := time.Parse(time.RFC3339, head.Time); err != nil || !strings.HasSuffix(head.Time, "Z") || !strings.Contains(head.Time, ".") {
		t.Errorf("time %q (%v, %v) in %s", head.Time, at, err, text)
	}
	if doc[head.Type] == nil {
		t.Errorf("docs/json.md has no line %q", head.Type)
		return
	}
	doc.checkObject(t, head.Type, "", json.RawMessage(text))
}

// checkObject holds an object to the documented keys that begin with prefix.
func (doc documented) checkObject(t *testing.T, line, prefix string, value json.RawMessage) {
	t.Helper()
	var want []string
	for _, k := range doc[line].keys {
		if rest, ok := strings.CutPrefix(k, prefix); ok && !strings.ContainsAny(rest, ".[") {
			want = append(want, rest)
		}
	}
	keys, values := members(t, value)
	if !slices.Equal(keys, want) {
		t.Errorf("%s: keys of %q are %q, documented %q: %s", line, prefix, keys, want, value)
		return
	}
	for i, k := range keys {
		path := prefix + k
		kind := kindOf(values[i])
		if !slices.Contains(doc[line].types[path], kind) {
			t.Errorf("%s: %s is %s, documented %q", line, path, kind, doc[line].types[path])
		}
		switch {
		case kind == "array":
			var items []json.RawMessage
			json.Unmarshal(values[i], &items)
			for _, item := range items {
				if kindOf(item) == "object" {
					doc.checkObject(t, line, path+"[].", item)
				}
			}
		case kind == "object" && !slices.Contains(anybodys, path):
			doc.checkObject(t, line, path+".", values[i])
		}
	}
}

// anybodys are the objects whose keys are not ours to document.
var anybodys = []string{"task.features", "features", "headers", "raw"}

// linesOfCommands are the types of lines that commands beside watch print.
var linesOfCommands = []string{
	"result", "delivery", "rejection", "verdict", "sent", "summary", "planned", "message", "attempt", "task", "endpoint", "endpoint_deleted", "check",
	"probe", "finding",
}

// members are the keys of an object, in order, and their values.
func members(t *testing.T, object json.RawMessage) (keys []string, values []json.RawMessage) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(object)))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		t.Errorf("no object: %s", object)
		return nil, nil
	}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Errorf("%v in %s", err, object)
			return keys, values
		}
		keys, values = append(keys, key.(string)), append(values, value)
	}
	return keys, values
}

func kindOf(value json.RawMessage) string {
	switch value[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// linesOfRun are the types of lines that a run prints.
var linesOfRun = []string{"receiving", "ready", "event", "duplicate", "rejected", "rejected_skipped", "tunnel", "forward", "viewer", "end"}

func TestTheDocumentsExamplesHaveTheDocumentedKeys(t *testing.T) {
	doc := readDocument(t)
	want := slices.Concat(linesOfRun, linesOfCommands)
	if len(doc) != len(want) {
		t.Errorf("docs/json.md has %d types of lines, want %q", len(doc), want)
	}
	for _, name := range want {
		if doc[name] == nil {
			t.Errorf("docs/json.md lacks %q", name)
			continue
		}
		if keys, _ := members(t, json.RawMessage(doc[name].example)); !strings.Contains(doc[name].example, `"type":"`+name+`"`) || len(keys) < 3 {
			t.Errorf("example of %s: %s", name, doc[name].example)
		}
		doc.check(t, doc[name].example)
	}
}

func TestEveryLineHasTheDocumentedKeysInTheirOrder(t *testing.T) {
	doc := readDocument(t)
	seen := map[string]bool{}
	for line := range strings.Lines(script(t, Options{Format: JSON, Since: noon.Add(-time.Hour)}) + flood(t, Options{Format: JSON})) {
		doc.check(t, line)
		for _, name := range linesOfRun {
			seen[name] = seen[name] || strings.HasPrefix(line, `{"type":"`+name+`"`)
		}
	}
	for _, name := range linesOfRun {
		if !seen[name] {
			t.Errorf("no line %q was printed", name)
		}
	}
}
