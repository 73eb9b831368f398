package draw

import (
	"bytes"
	"fmt"

	"github.com/aymanbagabas/go-udiff"
)

// DiffLine is one line of a difference: of the text before it ('-'), of the text
// after it ('+'), of both (' '), or between two places ('@').
type DiffLine struct {
	sign byte
	text string
}

// Changes are the lines that two texts differ in, with three lines around
// them; none if they are the same.
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

// hideValue hides what is private in one line of laid out JSON.
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

// paintDiff tells by the sign of a line how it is drawn.
func paintDiff(line []byte) []Stretch {
	if len(line) == 0 {
		return nil
	}
	r := Dim
	switch line[0] {
	case '+':
		r = Good
	case '-':
		r = Bad
	case '@':
		r = Accent
	case '!':
		r = Warn
	}
	return []Stretch{{len(line), r}}
}
