package jsonl

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Ordered appends a JSON value without the white space between members, with the members of
// each object in the order of their names that order returns, which may leave some out.
// What cannot be read is appended as it is. Of a name that stands twice, the second has a
// NUL and a number behind it.
func Ordered(out, value []byte, order func(names []string) []string) []byte {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || value[0] != '{' {
		return append(out, value...)
	}
	var names []string
	members := map[string][]byte{} // with their names
	in := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, _ = in.ReadToken()
	for in.PeekKind() != jsontext.KindEndObject {
		raw, err := in.ReadValue()
		raw = bytes.Clone(raw)
		v, err2 := in.ReadValue()
		if err != nil || err2 != nil {
			return append(out, value...)
		}
		name := string(bytes.Trim(raw, `"`))
		for i := 1; members[name] != nil; i++ { // a name that stands twice
			name += "\x00" + strconv.Itoa(i)
		}
		names = append(names, name)
		members[name] = Ordered(append(raw, ':'), v, order)
	}
	out = append(out, '{')
	for i, name := range order(names) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, members[name]...)
	}
	return append(out, '}')
}

// By orders names as a list does, and puts the others behind.
func By(list []string) func(names []string) []string {
	place := func(name string) int {
		name, _, _ = strings.Cut(name, "\x00")
		if i := slices.Index(list, name); i >= 0 {
			return i
		}
		return len(list)
	}
	return func(names []string) []string {
		return slices.SortedStableFunc(slices.Values(names), func(a, b string) int { return place(a) - place(b) })
	}
}

// ASCII writes what is not ASCII as \u escapes, as Python's json.dumps does.
func ASCII(body []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, len(body)+len(body)/4)
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		if i += n; r < utf8.RuneSelf {
			out = append(out, byte(r))
			continue
		}
		units := []rune{r}
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			units = []rune{high, low}
		}
		for _, u := range units {
			out = append(out, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
		}
	}
	return out
}
