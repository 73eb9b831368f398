package edit

import (
	"strings"
	"testing"
)

func TestJSONTooDeepToBeLaidOutIsEditedAsItIs(t *testing.T) {
	deep := strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000)
	if got := LaidOut([]byte(deep)); got != deep+"\n" {
		t.Errorf("9000 brackets were laid out in %d bytes", len(got))
	}
	if got := LaidOut([]byte(`{"a":"[{","b":[1]}`)); got != "{\n  \"a\": \"[{\",\n  \"b\": [\n    1\n  ]\n}\n" {
		t.Errorf("laid out as\n%s", got)
	}
}
