package draw

import (
	"bytes"
	"fmt"
	"unicode"
	"unicode/utf8"

	"aspectop/clean"

	"github.com/charmbracelet/x/ansi"
)

// Document is what a pane scrolls through: cleaned lines that were indexed once, so
// that drawing a screenful costs the same out of fifty lines and out of fifty
// thousand.
type Document struct {
	b     []byte // the lines, each ended by a line feed
	lines []docLine
	// paint tells how the stretches of a line are drawn; nil: plainly.
	Paint func(line []byte) []Stretch

	folded []byte // b with ASCII letters in lower case, made by the first search
}

type docLine struct {
	from  int32 // in b
	depth uint8 // by how many steps it is indented
}

// Stretch is a piece of a line, up to a byte, and how it is drawn.
type Stretch struct {
	To   int
	Role Role
}

// Add appends one line. What is not fit for a terminal is taken out here, once.
func (t *Document) Add(line string, depth int) {
	t.lines = append(t.lines, docLine{int32(len(t.b)), uint8(min(depth, 255))})
	t.b = append(append(t.b, clean.Text(line)...), '\n')
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
	for line := range bytes.Lines(body) {
		t.Add(string(bytes.TrimRight(line, "\r\n")), 0)
	}
	return t
}

// indent is the number of cells by which a line of the depth is indented: never
// more than half of the width.
func indent(depth uint8, w int) int { return min(2*int(depth), w/2) }

// docRow is where a row begins: a line, and a byte of t.b.
type docRow struct{ line, from int32 }

// wrap divides all lines into rows that fit the width.
func (t *Document) wrap(w int) []docRow {
	rows := make([]docRow, 0, len(t.lines))
	for i, l := range t.lines {
		room := max(1, w-indent(l.depth, w))
		for from, end := int(l.from), t.end(i); ; {
			rows = append(rows, docRow{int32(i), int32(from)})
			if end-from <= room && asciiBytes(t.b[from:end]) {
				break
			}
			if from += chunk(t.b[from:end], room); from >= end {
				break
			}
		}
	}
	return rows
}

// chunk is how many bytes of a cleaned text fit w cells, at least one
// character.
func chunk(b []byte, w int) int {
	if n := min(len(b), w+1); asciiBytes(b[:n]) {
		return min(n, w)
	}
	n, used := 0, 0
	for n < len(b) {
		cluster, width := ansi.FirstGraphemeCluster(b[n:], ansi.GraphemeWidth)
		if used += width; used > w && n > 0 {
			break
		}
		n += len(cluster)
	}
	return n
}

func asciiBytes(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// PaintNamed paints "name: value".
func PaintNamed(line []byte) []Stretch {
	i := bytes.Index(line, []byte(": "))
	if i < 0 {
		return []Stretch{{len(line), Dim}}
	}
	return []Stretch{{i, key}, {i + 1, Dim}}
}

// Readable reports whether a body is text: UTF-8 with hardly any control
// characters.
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

// HexDocument shows bytes by their values and, as far as they have any, by
// their characters; the lines are made for 80 columns.
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
