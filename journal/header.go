package journal

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Headers are stored as JSON, so that people can query them, but written and
// read here rather than by encoding/json: that one replaces bytes that are not
// UTF-8 (header values may hold any), and takes several times as long, once for
// every delivery received and once for every one read.

const hexDigits = "0123456789abcdef"

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
		if len(values) == 1 {
			if values[0] == id {
				b = append(b, "null"...)
			} else {
				b = appendString(b, values[0])
			}
			continue
		}
		b = append(b, '[')
		for j, value := range values {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendString(b, value)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (is [256]bool) {
	for c := range is {
		is[c] = c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\'
	}
	return is
}()

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0 // of what is to be appended as it is
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		b = append(b, s[start:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default: // half a surrogate pair, which no valid UTF-8 can stand for
			b = append(b, '\\', 'u', 'd', 'c', hexDigits[c>>4], hexDigits[c&15])
		}
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

var errHeader = errors.New("headers that are no JSON object of strings and arrays of strings")

// ParseHeader reads what AppendHeader wrote of a delivery with the id, and any
// other such JSON object without white space and surrogate pairs: up to format 1,
// every header has an array.
func ParseHeader(s, id string) (map[string][]string, error) {
	p := headerParser{rest: s}
	n := strings.Count(s, `":`)
	h := make(map[string][]string, n)
	values := make([]string, 0, n)
	p.want('{')
	for first := true; !p.take('}'); first = false {
		if !first {
			p.want(',')
		}
		name := p.text()
		p.want(':')
		start := len(values)
		values = p.values(values, id)
		h[name] = values[start:len(values):len(values)]
		if p.failed {
			return nil, errHeader
		}
	}
	if p.failed || p.rest != "" {
		return nil, errHeader
	}
	return h, nil
}

type headerParser struct {
	rest   string
	failed bool
}

func (p *headerParser) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *headerParser) want(c byte) {
	if !p.take(c) {
		p.failed = true
	}
}

// values appends those of one header.
func (p *headerParser) values(values []string, id string) []string {
	if rest, ok := strings.CutPrefix(p.rest, "null"); ok {
		p.rest = rest
		return append(values, id)
	}
	if !p.take('[') {
		return append(values, p.text())
	}
	for first := true; !p.failed && !p.take(']'); first = false {
		if !first {
			p.want(',')
		}
		values = append(values, p.text())
	}
	return values
}

// text reads one string. Without escapes in it, it shares the memory of the
// whole.
func (p *headerParser) text() string {
	p.want('"')
	i := strings.IndexByte(p.rest, '"')
	if i < 0 {
		p.failed = true
		return ""
	}
	if s := p.rest[:i]; strings.IndexByte(s, '\\') < 0 {
		p.rest = p.rest[i+1:]
		return s
	}
	var b []byte
	for !p.failed && p.rest != "" {
		c := p.rest[0]
		switch {
		case c == '"':
			p.rest = p.rest[1:]
			return string(b)
		case c != '\\':
			b = append(b, c)
			p.rest = p.rest[1:]
		default:
			b = p.escape(b)
		}
	}
	p.failed = true
	return ""
}

func (p *headerParser) escape(b []byte) []byte {
	if len(p.rest) < 2 {
		p.failed = true
		return b
	}
	c := p.rest[1]
	if c != 'u' {
		const names, bytes = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
		i := strings.IndexByte(names, c)
		if i < 0 {
			p.failed = true
			return b
		}
		p.rest = p.rest[2:]
		return append(b, bytes[i])
	}
	if len(p.rest) < 6 {
		p.failed = true
		return b
	}
	n, err := strconv.ParseUint(p.rest[2:6], 16, 16)
	p.rest = p.rest[6:]
	switch {
	case err != nil || utf16.IsSurrogate(rune(n)) && (n < 0xdc80 || n > 0xdcff):
		p.failed = true // AppendHeader writes no pairs
		return b
	case utf16.IsSurrogate(rune(n)):
		return append(b, byte(n))
	}
	return utf8.AppendRune(b, rune(n))
}
