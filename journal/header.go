package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Headers are stored as JSON, so that people can query them. Header values may hold
// any byte, and JSON only UTF-8: another byte is written as half a surrogate pair,
// \udc80 to \udcff, which no valid UTF-8 can stand for.

// AppendHeader appends h as a JSON object with its names sorted. A header with
// one value has a string, any other an array of strings, and one whose only value
// is id has null: the id is kept beside the headers.
func AppendHeader(b []byte, h map[string][]string, id string) []byte {
	var room [32]string
	names := room[:0]
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		values := h[name]
		switch {
		case len(values) == 1 && values[0] == id:
			b = append(b, "null"...)
		case len(values) == 1:
			b = appendString(b, values[0])
		default:
			b = append(b, '[')
			for j, value := range values {
				if j > 0 {
					b = append(b, ',')
				}
				b = appendString(b, value)
			}
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	if utf8.ValidString(s) {
		b, _ = jsontext.AppendQuote(b, s)
		return b
	}
	b = append(b, '"')
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			b = fmt.Appendf(b, `\udc%02x`, s[i])
			continue
		}
		quoted, _ := jsontext.AppendQuote(nil, string(r))
		b = append(b, quoted[1:len(quoted)-1]...)
	}
	return append(b, '"')
}

var errHeader = errors.New("headers that are no JSON object of strings and arrays of strings")

// headerParser reads stored headers.
type headerParser struct {
	dec  jsontext.Decoder
	in   bytes.Buffer
	text string // all of it
}

var headerParsers = sync.Pool{New: func() any { return new(headerParser) }}

// ParseHeader reads what AppendHeader wrote of a delivery with the id, and any
// other such JSON object: up to format 1, every header has an array. The result
// shares the memory of s.
func ParseHeader(s, id string) (map[string][]string, error) {
	p := headerParsers.Get().(*headerParser)
	defer headerParsers.Put(p)
	p.text, p.in = s, *bytes.NewBufferString(s)
	p.dec.Reset(&p.in, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	n := strings.Count(s, `":`)
	h := make(map[string][]string, n)
	values := make([]string, 0, n)
	if !p.take('{') {
		return nil, errHeader
	}
	for !p.take('}') {
		name, ok := p.string()
		start := len(values)
		switch {
		case p.take('n'):
			values = append(values, id)
		case p.take('['):
			for ok && !p.take(']') {
				var value string
				value, ok = p.string()
				values = append(values, value)
			}
		case ok:
			var value string
			value, ok = p.string()
			values = append(values, value)
		}
		if !ok {
			return nil, errHeader
		}
		h[name] = values[start:len(values):len(values)]
	}
	if _, err := p.dec.ReadToken(); err != io.EOF {
		return nil, errHeader
	}
	return h, nil
}

// take reads the next token if it is of that kind.
func (p *headerParser) take(kind jsontext.Kind) bool {
	if p.dec.PeekKind() != kind {
		return false
	}
	_, err := p.dec.ReadToken()
	return err == nil
}

// string reads a string. Without escapes in it, it shares the memory of the text.
func (p *headerParser) string() (s string, ok bool) {
	if p.dec.PeekKind() != '"' {
		return "", false
	}
	value, err := p.dec.ReadValue()
	if err != nil {
		return "", false
	}
	end := int(p.dec.InputOffset())
	s = p.text[end-len(value)+1 : end-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, true
	}
	var b []byte
	for s != "" {
		size := max(strings.IndexByte(s, '\\'), 0)
		switch {
		case size > 0:
			b = append(b, s[:size]...)
		case s[0] != '\\':
			size = len(s)
			b = append(b, s...)
		case strings.HasPrefix(s, `\udc`) && s[4] >= '8':
			size = len(`\udc80`)
			c, _ := strconv.ParseUint(s[4:size], 16, 8)
			b = append(b, byte(c))
		default:
			if size = 2; s[1] == 'u' {
				size = 6
			}
			if r, _ := strconv.ParseUint(s[2:size], 16, 16); r>>10 == 0xd800>>10 && strings.HasPrefix(s[size:], `\u`) {
				size = 12 // a pair
			}
			b, _ = jsontext.AppendUnquote(b, `"`+s[:size]+`"`)
		}
		s = s[size:]
	}
	return string(b), true
}
