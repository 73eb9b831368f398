package draw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"aspectop/clean"
	"github.com/aymanbagabas/go-udiff"
)

// Document is the text of a pane: cleaned lines, indexed once, so that the cost of
// drawing does not depend on their number.
type Document struct {
	b     []byte // the lines, each ended by a line feed
	lines []docLine
	// Paint tells how the stretches of an added line are drawn; nil: plainly.
	Paint func(line []byte) []Stretch

	folded []byte // b with ASCII letters in lower case, made by the first search
}

type docLine struct {
	from  int32 // in b
	depth uint8 // by how many steps it is indented
	kind  lineKind
}

// lineKind says how a line is painted: nothing that came from outside is taken for a name, or
// for JSON if it is none.
type lineKind uint8

const (
	added lineKind = iota // by Paint
	asIs
	asJSON
)

// Stretch is a piece of a line, up to a byte, and how it is drawn.
type Stretch struct {
	To   int
	Role Role
}

// Add appends one line, cleaned.
func (t *Document) Add(line string, depth int) { t.add(line, depth, added) }

func (t *Document) add(line string, depth int, kind lineKind) {
	t.lines = append(t.lines, docLine{int32(len(t.b)), uint8(min(depth, 255)), kind})
	t.b = append(append(t.b, clean.Text(line)...), '\n')
}

// paint tells how the stretches of line i are drawn.
func (t *Document) paint(i int) []Stretch {
	l := t.lines[i]
	line := t.b[l.from:t.end(i)]
	switch {
	case l.kind == asJSON:
		return paintJSON(line)
	case l.kind == added && t.Paint != nil:
		return t.Paint(line)
	}
	return nil
}

// end is where line i ends in b, ahead of its line feed.
func (t *Document) end(i int) int {
	if i+1 < len(t.lines) {
		return int(t.lines[i+1].from) - 1
	}
	return len(t.b) - 1
}

// TextDocument is text as it came, line by line.
func TextDocument(body []byte) *Document {
	t := &Document{}
	t.AddText(body, 0)
	return t
}

// AddText adds text as it came, line by line.
func (t *Document) AddText(text []byte, depth int) {
	for line := range bytes.Lines(text) {
		t.add(string(bytes.TrimRight(line, "\r\n")), depth, asIs)
	}
}

// indent is the indentation of a line in cells, at most half of the width.
func indent(depth uint8, w int) int { return min(2*int(depth), w/2) }

// docRow is where a row begins: a line, and a byte of t.b.
type docRow struct{ line, from int32 }

// wrap divides all lines into rows that fit the width, at most math.MaxInt32: behind a
// blank if one stands in the second half of a row. The blank itself may lie beyond it.
func (t *Document) wrap(w int) []docRow {
	rows := make([]docRow, 0, len(t.lines))
	for i, l := range t.lines {
		room := max(1, w-indent(l.depth, w))
		for from, end := int(l.from), t.end(i); ; {
			rows = append(rows, docRow{int32(i), int32(from)})
			if end-from <= room && ascii(t.b[from:end]) {
				break
			}
			n := chunk(t.b[from:end], room)
			if from+n >= end {
				break
			}
			if blank := bytes.LastIndexByte(t.b[from:from+n+1], ' '); blank > n/2 {
				n = blank + 1
			}
			if from += n; from == end { // a blank ends the line
				break
			}
		}
	}
	return rows
}

// chunk is how many bytes of a cleaned text fit w cells: at least one character.
func chunk[T string | []byte](b T, w int) int {
	if n := min(len(b), w+1); ascii(b[:n]) {
		return min(n, w)
	}
	n, used := 0, 0
	for n < len(b) {
		r, size := utf8.DecodeRuneInString(string(b[n:min(n+utf8.UTFMax, len(b))]))
		if used += Cells(string(r)); used > w && n > 0 {
			break
		}
		n += size
	}
	return n
}

// PaintNamed paints "name: value".
func PaintNamed(line []byte) []Stretch {
	i := bytes.Index(line, []byte(": "))
	if i < 0 {
		return []Stretch{{len(line), Dim}}
	}
	return []Stretch{{i, key}, {i + 1, Dim}}
}

// Readable reports whether a body is UTF-8 with hardly any control characters.
func Readable(body []byte) bool {
	odd := 0
	for b := body; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		// The body of a refused request may be cut within its last character.
		if r == utf8.RuneError && n == 1 && len(b) >= utf8.UTFMax || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			odd++
		}
		b = b[n:]
	}
	return odd*20 <= len(body)
}

// HexDocument shows bytes in hexadecimal and as ASCII, in lines for 80 columns.
func HexDocument(body []byte) *Document {
	const perLine = 16
	t := &Document{Paint: func(line []byte) []Stretch { return []Stretch{{6, Dim}, {9 + 3*perLine, number}} }}
	for i := 0; i < len(body); i += perLine {
		row := body[i:min(i+perLine, len(body))]
		chars := make([]byte, len(row))
		for j, c := range row {
			if chars[j] = c; c < ' ' || c > '~' {
				chars[j] = '.'
			}
		}
		t.Add(fmt.Sprintf("%06x  %-*s %s", i, 3*perLine, fmt.Sprintf("% x", row), chars), 0)
	}
	return t
}

// JSONDocument is [Document.AddJSON] to a new document.
func JSONDocument(body []byte, mask bool) (t *Document, ok bool) {
	t = &Document{}
	return t, t.AddJSON(body, 0, mask)
}

// AddJSON appends JSON, laid out in lines, and reports whether body is JSON. Values
// keep their spelling. Lines have a depth instead of blanks: ten thousand brackets
// would make ten thousand times as many blanks. If mask is set, user ids and URLs are
// hidden.
func (t *Document) AddJSON(body []byte, depth int, mask bool) bool {
	var compact bytes.Buffer
	if json.Compact(&compact, body) != nil {
		return false
	}
	body = compact.Bytes()
	var line []byte
	name := ""
	flush := func() {
		t.add(string(line), depth, asJSON)
		line = line[:0]
	}
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch c {
		case '{', '[':
			line, name = append(line, c), ""
			if body[i+1] == c+2 { // the closing one: nothing between
				i++
				line = append(line, body[i])
				continue
			}
			flush()
			depth++
		case '}', ']':
			flush()
			depth--
			line = append(line, c)
		case ',':
			line = append(line, c)
			flush()
			name = ""
		case ':':
			name = string(line)
			line = append(line, ": "...)
		case '"':
			value := body[i : i+stringEnd(body[i:])]
			i += len(value) - 1
			if mask && private(name, value) {
				value = []byte(`"(hidden)"`)
			}
			line = append(line, value...)
		default:
			line = append(line, c)
		}
	}
	flush()
	return true
}

// private reports whether a value is hidden in presentation mode.
func private(name string, value []byte) bool {
	return name == `"user_id"` || bytes.Contains(value, []byte("://")) || bytes.Contains(value, []byte(`:\/\/`))
}

// stringEnd is the length of the JSON string at the start of b.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// paintJSON paints a line of [Document.AddJSON]: a name, if it has one, and a value.
func paintJSON(line []byte) (stretches []Stretch) {
	at := 0
	if len(line) > 0 && line[0] == '"' {
		if n := stringEnd(line); n < len(line) && line[n] == ':' {
			stretches = append(stretches, Stretch{n, key}, Stretch{n + 1, Dim})
			at = n + 1
		}
	}
	value := bytes.TrimSuffix(line[at:], []byte{','})
	end := at + len(value)
	switch first := bytes.TrimLeft(value, " "); {
	case len(first) == 0 || strings.IndexByte("{}[]", first[0]) >= 0:
		return append(stretches, Stretch{end, Dim})
	case first[0] == '"':
		return append(stretches, Stretch{end, text}, Stretch{len(line), Dim})
	}
	return append(stretches, Stretch{end, number}, Stretch{len(line), Dim})
}

// JSONDepth is how deep the brackets of JSON are nested.
func JSONDepth(body []byte) (deepest int) {
	for i, depth := 0, 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i += stringEnd(body[i:]) - 1
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// DiffLine is one line of a difference: of the text before it ('-'), of the text
// after it ('+'), of both (' '), or between two places ('@').
type DiffLine struct {
	sign byte
	text string
}

// Changes is the difference of two texts with three lines of context; empty if none.
func Changes(before, after string) (lines []DiffLine) {
	signs := map[udiff.OpKind]byte{udiff.Delete: '-', udiff.Insert: '+', udiff.Equal: ' '}
	unified, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil { // the edits are those of these very texts
		panic("ui: " + err.Error())
	}
	for _, h := range unified.Hunks {
		lines = append(lines, DiffLine{'@', fmt.Sprintf("@@ line %d", h.FromLine)})
		for _, l := range h.Lines {
			lines = append(lines, DiffLine{signs[l.Kind], l.Content})
		}
	}
	return lines
}

// Diff is a difference as it is shown.
type Diff struct {
	Changes []DiffLine
	JSON    bool   // what is private can be told apart
	Flaw    string // why the new text is no JSON; "" if it is, or need not be
	doc     *Document
	masked  bool // what doc was made for
}

func (t *Diff) Document(mask bool) *Document {
	if t.doc != nil && t.masked == mask {
		return t.doc
	}
	t.masked = mask
	t.doc = &Document{Paint: paintDiff}
	if t.Flaw != "" {
		t.doc.Add("! No longer valid JSON: "+t.Flaw, 0)
	}
	if mask && !t.JSON {
		t.doc.Add("  (not JSON; hidden in presentation mode)", 0)
		return t.doc
	}
	for _, l := range t.Changes {
		line := []byte(l.text)
		if mask && l.sign != '@' {
			line = hideValue(line)
		}
		if l.sign != '@' {
			line = append([]byte{l.sign, ' '}, line...)
		}
		t.doc.Add(string(bytes.TrimRight(line, "\r\n")), 0)
	}
	return t.doc
}

func hideValue(line []byte) []byte {
	value := bytes.TrimLeft(line, " ")
	name := ""
	if n := stringEnd(value); n < len(value) && value[0] == '"' && value[n] == ':' {
		name = string(value[:n])
		value = bytes.TrimLeft(value[n+1:], " ")
	}
	if len(value) == 0 || value[0] != '"' || !private(name, value) {
		return line
	}
	before := len(line) - len(value)
	rest := value[stringEnd(value):]
	return fmt.Appendf(nil, `%s"(hidden)"%s`, line[:before], rest)
}

var diffRoles = map[byte]Role{'+': Good, '-': Bad, '@': Accent, '!': Warn, ' ': Dim}

func paintDiff(line []byte) []Stretch {
	if len(line) == 0 {
		return nil
	}
	return []Stretch{{len(line), diffRoles[line[0]]}}
}
