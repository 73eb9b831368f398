package jsonl

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestSafeMeansTheSameAndShowsNothingThatActs(t *testing.T) {
	for _, text := range hostile {
		encoded, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		safe := Safe(encoded)
		checkSafe(t, safe)
		var o Object
		o.Begin('{')
		o.Text(text, text)
		o.End('}')
		checkSafe(t, o)
		for _, line := range [][]byte{safe, o} {
			var back map[string]string
			if err := json.Unmarshal(line, &back); err != nil || back[valid(text)] != valid(text) {
				t.Errorf("%q came back as %q (%v)", text, back, err)
			}
		}
	}
}

func TestSafeEscapesWhatIsNoUTF8(t *testing.T) {
	if got, want := string(Safe([]byte("\"a\xffé\u009b\""))), `"a\ufffdé\u009b"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSafeCopiesNothingThatIsSafe(t *testing.T) {
	text := []byte(`{"name":"日本語 <&>"}`)
	if safe := Safe(text); &safe[0] != &text[0] {
		t.Errorf("copied %s", safe)
	}
	if n := testing.AllocsPerRun(10, func() { Safe(text) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

var hostile = []string{
	"plain", "\x1b[2J\x1b]0;title\x07", "a\u0080b\u009b31m\u009f", "\x7f", "right\u202eleft\u2066\u061c\u200f",
	"two\nlines\r\n", "\xff\xfe\xc3", "quote\"back\\slash", "\u2028\u2029", "日本語 👩‍💻", "<&>", "",
}

func valid(s string) string { return string([]rune(s)) }

func checkSafe(t *testing.T, line []byte) {
	t.Helper()
	acts := func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }
	if !utf8.Valid(line) || bytes.IndexFunc(line, acts) >= 0 {
		t.Errorf("it acts, or is no UTF-8: %q", line)
	}
}

func TestATimeIsTheSameInEveryLine(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	for _, at := range []time.Time{at, {}} {
		var o Object
		o.Begin('{')
		o.Time("time", at)
		o.End('}')
		line, err := Line(struct {
			Time Time `json:"time"`
		}{Time(at)})
		if string(line) != string(o)+"\n" || err != nil {
			t.Errorf("%s, and %s (%v)", o, line, err)
		}
	}
}
