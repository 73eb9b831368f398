package draw

import (
	"bytes"
	"encoding/json"
	"strings"
)

// JSONDocument lays JSON out line by line, and reports whether body is JSON. The
// values stay as they were written, escapes and all. The depth of a line is
// kept beside it instead of as blanks in it: ten thousand brackets would make
// ten thousand times as many blanks. If mask is set, user ids and URLs are
// hidden.
func JSONDocument(body []byte, mask bool) (t *Document, ok bool) {
	if !json.Valid(body) {
		return nil, false
	}
	t = &Document{Paint: PaintJSON}
	var line []byte
	depth, name := 0, ""
	flush := func() {
		t.Add(string(line), depth)
		line = line[:0]
	}
	for i := 0; i < len(body); {
		c := body[i]
		switch c {
		case ' ', '\t', '\r', '\n':
			i++
			continue
		case '{', '[':
			line, name = append(line, c), ""
			i += 1 + blanks(body[i+1:])
			if body[i] == c+2 { // the closing one: nothing between
				line = append(line, body[i])
				i++
				continue
			}
			flush()
			depth++
			continue
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
			n := stringEnd(body[i:])
			value := body[i : i+n]
			if mask && private(name, value) {
				value = []byte(`"(hidden)"`)
			}
			line = append(line, value...)
			i += n
			continue
		default:
			line = append(line, c)
		}
		i++
	}
	flush()
	return t, true
}

// private reports whether a value is hidden in presentation mode.
func private(name string, value []byte) bool {
	return name == `"user_id"` || bytes.Contains(value, []byte("://")) || bytes.Contains(value, []byte(`:\/\/`))
}

// blanks is the number of white spaces at the start of b.
func blanks(b []byte) int {
	for i, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return i
		}
	}
	return len(b)
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

// PaintJSON tells the stretches of one line of jsonDocument: a name, if it has one,
// and a value.
func PaintJSON(line []byte) (stretches []Stretch) {
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

// AddJSON appends JSON, laid out.
func (t *Document) AddJSON(raw []byte, mask bool) {
	laid, ok := JSONDocument(raw, mask)
	if !ok {
		t.Add("(no JSON)", 0)
		return
	}
	for i, l := range laid.lines {
		t.Add(string(laid.b[l.from:laid.end(i)]), int(l.depth))
	}
}

// JSONDepth is how deep the brackets of JSON stand in each other.
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
