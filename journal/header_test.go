package journal

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"
)

func TestHeadersKeepEveryValueAndEveryByte(t *testing.T) {
	for _, h := range []map[string][]string{
		{},
		{"Accept": {"*/*", "text/plain", ""}, "Svix-Id": {"msg_1"}},
		{"Empty": {}},
		{"Cf-Visitor": {`{"scheme":"https"}`}, "X": {`\`, `\\"`, `\udc80`, "a\tb\x00\x1f\x7f"}},
		{"X": {"caf\xe9", "café", "日本\xff語", "\xed\xb2\x80", "\u2028<>&"}},
		{"": {"a"}, "a,b": {"]", "}", `":[`}},
	} {
		text := AppendHeader(nil, h)
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Errorf("%q is no JSON", text)
		}
		got, err := ParseHeader(string(text))
		if err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%q became %q (%v)", h, got, err)
		}
	}
}

func TestHeadersThatAreNoneAreAnError(t *testing.T) {
	for _, text := range []string{"", "{", "}", "[]", "null", `{"a":"b"}`, `{"a":["b"}`, `{"a":["b"]`, `{"a":["b"]}x`, `{"a":["b" "c"]}`,
		`{"a":["b",]}`, `{,"a":["b"]}`, `{"a":["\x"]}`, `{"a":["\u12"]}`, `{"a":["\u12xy"]}`, `{"a":["\`, `{"a":[1]}`, `{a:[]}`} {
		if h, err := ParseHeader(text); err == nil {
			t.Errorf("%s: %q", text, h)
		}
	}
}

// FuzzParseHeader holds the parser to encoding/json: what both take means the
// same, but for the bytes that encoding/json has no way to tell.
func FuzzParseHeader(f *testing.F) {
	f.Add(`{"Accept":["*/*","a"],"B":[]}`)
	f.Add(`{"A":["\u00e9\n\"\\\/","\udc80"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHeader(text)
		if err != nil {
			return
		}
		again, err := ParseHeader(string(AppendHeader(nil, h)))
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%q became %q (%v)", h, again, err)
		}
		var want map[string][]string
		if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		for name, values := range h {
			for _, s := range append(values, name) {
				if !utf8.ValidString(s) {
					return
				}
			}
		}
		if !reflect.DeepEqual(h, want) {
			t.Errorf("%q is %q, encoding/json says %q", text, h, want)
		}
	})
}
