package ui

import (
	"bytes"
	"fmt"

	"github.com/aymanbagabas/go-udiff"
)

// diffLine is one line of a difference: of the text before it ('-'), of the text
// after it ('+'), of both (' '), or between two places ('@').
type diffLine struct {
	sign byte
	text string
}

// differences are the lines that two texts differ in, with three lines around
// them; none if they are the same.
func differences(before, after string) (lines []diffLine) {
	signs := map[udiff.OpKind]byte{udiff.Delete: '-', udiff.Insert: '+', udiff.Equal: ' '}
	unified, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), udiff.DefaultContextLines)
	if err != nil { // the edits are those of these very texts
		panic("ui: " + err.Error())
	}
	for _, h := range unified.Hunks {
		lines = append(lines, diffLine{'@', fmt.Sprintf("@@ line %d", h.FromLine)})
		for _, l := range h.Lines {
			lines = append(lines, diffLine{signs[l.Kind], l.Content})
		}
	}
	return lines
}

// diffText is a difference as it is shown.
type diffText struct {
	changes []diffLine
	json    bool   // what is private can be told apart
	flaw    string // why the new text is no JSON; "" if it is, or need not be
	doc     *document
	hidden  bool // what doc was made for
}

func (t *diffText) document(hide bool) *document {
	if t.doc != nil && t.hidden == hide {
		return t.doc
	}
	t.hidden = hide
	t.doc = &document{paint: paintDiff}
	if t.flaw != "" {
		t.doc.add("! It is no JSON any more: "+t.flaw, 0)
	}
	if hide && !t.json {
		t.doc.add("  (no JSON; hidden while presenting)", 0)
		return t.doc
	}
	for _, l := range t.changes {
		line := []byte(l.text)
		if hide && l.sign != '@' {
			line = hideValue(line)
		}
		if l.sign != '@' {
			line = append([]byte{l.sign, ' '}, line...)
		}
		t.doc.add(string(bytes.TrimRight(line, "\r\n")), 0)
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
func paintDiff(line []byte) []stretch {
	if len(line) == 0 {
		return nil
	}
	r := dim
	switch line[0] {
	case '+':
		r = good
	case '-':
		r = bad
	case '@':
		r = accent
	case '!':
		r = warn
	}
	return []stretch{{len(line), r}}
}
