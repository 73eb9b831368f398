package draw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/ui/keys"
)

// linesOf is a document line by line, indented as it is drawn on a wide screen.
func linesOf(t *Document) []string {
	var lines []string
	for i, l := range t.lines {
		lines = append(lines, strings.Repeat("  ", int(l.depth))+string(t.b[l.from:t.end(i)]))
	}
	return lines
}

func TestJSONIsLaidOutAsUsual(t *testing.T) {
	for _, body := range []string{
		`{}`, `[]`, `1`, `"text"`, `null`, ` [ ] `, `{"a":{},"b":[]}`, `[1,2,[3,{"x":null}]]`,
		`{"a" : "b,c:{}[]" , "d\"e": [true,-1.5e3]}`, `"\\"`, `{"":""}`, "{\n\t\"a\":\r\n1}",
		`{"timestamp":"2000-01-01T00:00:00Z","data":{"task":{"id":"t","features":{"proxy":{"state":"queued"}}}}}`,
	} {
		var want bytes.Buffer
		if err := json.Indent(&want, []byte(strings.TrimSpace(body)), "", "  "); err != nil {
			t.Fatal(err)
		}
		doc, ok := JSONDocument([]byte(body), false)
		if got := strings.Join(linesOf(doc), "\n"); !ok || got != want.String() {
			t.Errorf("%s: got\n%s\nwant\n%s", body, got, want.String())
		}
	}
}

func FuzzJSONIsLaidOutAsUsual(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c"},[]],"d":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, ok := JSONDocument(body, false)
		if ok != json.Valid(body) {
			t.Fatalf("taken for JSON: %v", ok)
		}
		if !ok {
			return
		}
		if ascii := bytes.IndexFunc(body, func(r rune) bool { return r > '~' }) < 0; !ascii {
			return // cleaning may change it
		}
		var want, got bytes.Buffer
		if json.Compact(&want, body) != nil || json.Compact(&got, []byte(strings.Join(linesOf(doc), ""))) != nil {
			t.Fatal("what is shown is no JSON any more")
		}
		if want.String() != got.String() {
			t.Errorf("got %s, want %s", got.String(), want.String())
		}
		for i := range doc.lines {
			doc.paint(i)
		}
	})
}

func TestWhatIsNoJSONIsNotTakenForIt(t *testing.T) {
	for _, body := range []string{"", "{", `{"a":}`, "plain", strings.Repeat("[", 100_000)} {
		if _, ok := JSONDocument([]byte(body), false); ok {
			t.Errorf("%.20q is taken for JSON", body)
		}
	}
}

func TestDeepJSONDoesNotGrow(t *testing.T) {
	body := strings.Repeat("[", 9000) + strings.Repeat("1,", 400_000) + "1" + strings.Repeat("]", 9000)
	doc, ok := JSONDocument([]byte(body), false)
	if !ok || len(doc.b) > 2*len(body) {
		t.Errorf("%d bytes became %d", len(body), len(doc.b))
	}
}

func TestJSONIsPaintedByItsParts(t *testing.T) {
	for line, want := range map[string]string{
		`"a": "b",`:         "key dim text dim",
		`"a": 1`:            "key dim number",
		`"a": {`:            "key dim dim",
		`"b\": c",`:         "text dim",
		`-1.5,`:             "number dim",
		`},`:                "dim dim",
		`"a\"b": null`:      "key dim number",
		`"http://x": "y:z"`: "key dim text",
	} {
		var told []string
		from := 0
		for _, s := range append(paintJSON([]byte(line)), Stretch{len(line), Plain}) {
			if s.To > from {
				told = append(told, map[Role]string{key: "key", Dim: "dim", text: "text", number: "number", Plain: "dim"}[s.Role])
				from = s.To
			}
		}
		if got := strings.Join(told, " "); got != want {
			t.Errorf("%s is painted %s, want %s", line, got, want)
		}
	}
}

func TestRowsHoldAllOfALineAndFit(t *testing.T) {
	doc := &Document{}
	for _, s := range []string{"", "short", strings.Repeat("0123456789", 30), strings.Repeat("界", 100), strings.Repeat("e\u0301", 90), "क्षत्रिय" + strings.Repeat("क्", 80), strings.Repeat("words that end in a blank ", 9)} {
		for depth := range 4 {
			doc.Add(s, depth*20)
		}
	}
	for w := 1; w < 90; w++ {
		rows := doc.wrap(w)
		p := TextPane{doc: doc, rows: rows}
		var all strings.Builder
		for i := range rows {
			line, from, to := p.row(i)
			all.Write(doc.b[from:to])
			room := w - indent(doc.lines[line].depth, w)
			if n := ansi.StringWidthWc(strings.TrimSuffix(string(doc.b[from:to]), " ")); n > max(room, 2) { // one wide character needs two
				t.Fatalf("row %d of width %d is %d wide", i, room, n)
			}
			if p.rowAt(from) != i && from != to {
				t.Fatalf("row %d is found as %d", i, p.rowAt(from))
			}
		}
		if want := strings.ReplaceAll(string(doc.b), "\n", ""); all.String() != want {
			t.Fatalf("width %d loses text", w)
		}
	}
}

func TestRowsEndBetweenWords(t *testing.T) {
	p := NewTextPane()
	p.doc.Add("answered 500 Internal Server Error in 16 ms; try 5, will retry", 0)
	p.doc.Add("https://example.com/one-long-word-that-has-no-blank", 0)
	p.Arrange(20, 8)
	var rows []string
	for _, l := range p.Draw(NewTheme("mono"), 20, 8) {
		rows = append(rows, strings.TrimRight(ansi.Strip(l), " "))
	}
	want := "answered 500|Internal Server|Error in 16 ms; try|5, will retry|https://example.com/|one-long-word-that-h|as-no-blank|"
	if got := strings.Join(rows, "|"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBytesThatAreNoTextAreDumped(t *testing.T) {
	doc := HexDocument([]byte("\x00\x01PNG\r\n\x1a and more"))
	want := "000000  00 01 50 4e 47 0d 0a 1a 20 61 6e 64 20 6d 6f 72  ..PNG... and mor"
	if got := linesOf(doc)[0]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if Readable([]byte("\x00\x01\x02\xff\xfe")) || !Readable([]byte("plain\ttext\r\nGrüße")) || !Readable([]byte("cut gr\xc3")) {
		t.Error("text and bytes are mistaken for each other")
	}
}

// aPane is a pane with a payload of n lines.
func aPane(n int) *TextPane {
	var body bytes.Buffer
	body.WriteString("[")
	for i := range n - 3 {
		fmt.Fprintf(&body, `"line %d",`, i)
	}
	body.WriteString("0]")
	doc, _ := JSONDocument(body.Bytes(), false)
	p := NewTextPane()
	p.Show(doc, false)
	p.Arrange(120, 40)
	return &p
}

func mute(string) {}

func BenchmarkPayloadScroll(b *testing.B) {
	for _, n := range []int{50, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := aPane(n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p.Do([]keys.Action{keys.Down, keys.Up}[i%2], mute)
				p.Arrange(120, 40)
				p.Draw(NewTheme("dark"), 120, 40)
			}
		})
	}
}

// BenchmarkPayloadOfOneLine draws from the end of a line of a megabyte.
func BenchmarkPayloadOfOneLine(b *testing.B) {
	p := NewTextPane()
	doc, _ := JSONDocument([]byte(`{"a":"`+strings.Repeat("x", 1<<20)+`"}`), false)
	p.Show(doc, false)
	p.Arrange(120, 40)
	p.Do(keys.Bottom, mute)
	for b.Loop() {
		p.Draw(NewTheme("dark"), 120, 40)
	}
}

func BenchmarkPayloadIndex(b *testing.B) {
	for name, body := range map[string]string{
		"lines": "[" + strings.Repeat(`"0123456789abcde",`, 50_000) + "0]",
		"ascii": `["` + strings.Repeat("x", 1<<20) + `"]`,
		"wide":  `["` + strings.Repeat("界", 1<<20/3) + `"]`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				doc, _ := JSONDocument([]byte(body), false)
				doc.wrap(80)
			}
		})
	}
}

func BenchmarkSearch(b *testing.B) {
	p := aPane(50_000)
	for b.Loop() {
		p.search = search{}
		p.search.start(0)
		p.Typed(tea.KeyPressMsg{Code: 'l', Text: "l"}, mute)
	}
}

// What came from outside is painted only if it is JSON: `{"error":"TypeError: x` is no name and value.
func TestOnlyValidJSONIsPainted(t *testing.T) {
	for body, painted := range map[string]bool{`{"error":"TypeError: x"}`: true, `{"error":"TypeError: x`: false, "Error: no such table": false} {
		doc := &Document{Paint: PaintNamed}
		doc.Add("answer: here", 0)
		if !doc.AddJSON([]byte(body), 1, false) {
			doc.AddText([]byte(body), 1)
		}
		if doc.paint(0) == nil || (doc.paint(1) != nil) != painted {
			t.Errorf("%s is painted %v", body, doc.paint(1))
		}
	}
}
