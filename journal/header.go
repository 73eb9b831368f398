package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"aspectop/model"
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
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		if _, size := utf8.DecodeRuneInString(s[i:]); size > 1 {
			i += size
			continue
		}
		b = append(b, s[from:i]...)
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < utf8.RuneSelf:
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = fmt.Appendf(b, `\udc%02x`, c)
		}
		i++
		from = i
	}
	return append(append(b, s[from:]...), '"')
}

var errHeader = errors.New("headers that are no JSON object of strings and arrays of strings")

// ParseHeader reads what AppendHeader wrote of a delivery with the id, and any
// other such JSON object: up to format 1, every header has an array. The result
// shares the memory of s.
func ParseHeader(s, id string) (map[string][]string, error) {
	if h, ok := parseHeader(s, id); ok {
		return h, nil
	}
	compact := jsontext.Value(s) // without the white space that somebody else wrote
	compact.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if h, ok := parseHeader(string(compact), id); ok {
		return h, nil
	}
	return nil, errHeader
}

// parseHeader reads headers without white space.
func parseHeader(s, id string) (h map[string][]string, ok bool) {
	p := headerParser{rest: s}
	n := strings.Count(s, `":`)
	h = make(map[string][]string, n)
	values := make([]string, 0, n)
	p.list("{", "}", func() {
		name, start := p.string(), len(values)
		switch p.need(":"); {
		case p.take("null"):
			values = append(values, id)
		case strings.HasPrefix(p.rest, "["):
			p.list("[", "]", func() { values = append(values, p.string()) })
		default:
			values = append(values, p.string())
		}
		h[name] = values[start:len(values):len(values)]
	})
	return h, !p.failed && p.rest == ""
}

type headerParser struct {
	rest   string
	failed bool
}

func (p *headerParser) take(token string) (taken bool) {
	p.rest, taken = strings.CutPrefix(p.rest, token)
	return taken
}

func (p *headerParser) need(token string) { p.failed = !p.take(token) || p.failed }

// list reads an object or an array, each member by member.
func (p *headerParser) list(open, end string, member func()) {
	p.need(open)
	for first := true; !p.failed && !p.take(end); first = false {
		if !first {
			p.need(",")
		}
		member()
	}
}

// string reads a string. Without escapes in it, it shares the memory of the text.
func (p *headerParser) string() string {
	p.need(`"`)
	end := strings.IndexByte(p.rest, '"')
	escaped := strings.IndexByte(p.rest[:max(end, 0)], '\\')
	if escaped >= 0 {
		for end = escaped; end < len(p.rest) && p.rest[end] != '"'; end++ {
			if p.rest[end] == '\\' {
				end++
			}
		}
	}
	if end < 0 || end >= len(p.rest) {
		p.failed = true
		return ""
	}
	s := p.rest[:end]
	p.rest = p.rest[end+1:]
	switch {
	case escaped < 0:
		return s
	case !strings.Contains(s, `\udc`):
		return p.unquote(s)
	}
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		if strings.HasPrefix(e, `\udc`) && e[4] >= '8' {
			c, err := strconv.ParseUint(e[4:], 16, 8)
			p.failed = p.failed || err != nil
			return string([]byte{byte(c)})
		}
		return p.unquote(e)
	})
}

// escape is a surrogate pair, or another escape sequence of JSON.
var escape = regexp.MustCompile(`\\(ud[89ab]..\\u....|u....|.)`)

func (p *headerParser) unquote(s string) string {
	b, err := jsontext.AppendUnquote(nil, `"`+s+`"`)
	p.failed = p.failed || err != nil
	return string(b)
}

// RejectionsKept is how many rejected requests a journal keeps.
const RejectionsKept = 1000

// EncodeRejected returns what is stored of a rejected request, as JSON, beside its time
// and body: what was found out, and the headers.
func EncodeRejected(r *model.Rejected) (facts, header string) {
	text, _ := json.Marshal(r) // texts and numbers
	return string(text), string(AppendHeader(nil, r.Header, r.ID))
}

// DecodeRejected returns the rejected request that was stored.
func DecodeRejected(at time.Time, facts, header string, body []byte) (r model.Rejected, err error) {
	if err = json.Unmarshal([]byte(facts), &r); err == nil {
		r.At, r.Body = at.UTC(), body
		r.Header, err = ParseHeader(header, r.ID)
	}
	return r, err
}
