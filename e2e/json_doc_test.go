//go:build unix

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documentedKeys are those that docs/json.md gives a type of line, in order.
func documentedKeys(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")
	for section := range strings.SplitSeq(string(text), "\n## ") {
		name, _, _ := strings.Cut(section, "\n")
		for _, found := range row.FindAllStringSubmatch(section, -1) {
			keys[name] = append(keys[name], found[1])
		}
	}
	return keys
}

// keysOf are those of an object, in order.
func keysOf(t *testing.T, object string) (keys []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatalf("%v in %s", err, object)
	}
	for d.More() {
		key, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			t.Fatalf("%v in %s", err, object)
		}
		keys = append(keys, key.(string))
	}
	return keys
}

func TestCommandsPrintTheDocumentedKeys(t *testing.T) {
	documented := documentedKeys(t)
	api := lists(t)
	path, _, watch := journalOf(t, some()...)
	watch.old()
	h := newHandler(t, nil)
	for kind, args := range map[string][]string{
		"message":          {"messages"},
		"attempt":          {"attempts", "--message", "msg_1"},
		"task":             {"tasks"},
		"endpoint":         {"endpoints", "create", "--url", "https://example.com", "--secret-out", filepath.Join(t.TempDir(), "secret")},
		"endpoint_deleted": {"endpoints", "delete", "ep_0"},
		"check":            {"doctor"},
		"planned":          {"replay", "--to", h.URL, "--journal", path, "--dry-run"},
		"summary":          {"replay", "--to", h.URL, "--journal", path},
	} {
		cmd := with(program(t, append(args, "--json")...), append(api.environment(), "ASPECT_WEBHOOK_SECRET="+secret)...)
		stdout, stderr, code := finished(t, cmd)
		if code != 0 || !strings.Contains(stdout, `{"type":"`+kind+`"`) {
			t.Errorf("%q ended with %d and told %s%s", args, code, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			var typ struct{ Type string }
			if err := json.Unmarshal([]byte(line), &typ); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			if got, want := keysOf(t, line), documented[typ.Type]; !slices.Equal(got, want) {
				t.Errorf("a line of type %s has the keys %q, documented %q", typ.Type, got, want)
			}
		}
	}
}
