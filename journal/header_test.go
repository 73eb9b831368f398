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
		{"Svix-Id": {"msg_1", "msg_1"}, "Webhook-Id": {"msg_1"}, "X": {"null"}, "Y": {""}},
		{"Empty": {}},
		{"Cf-Visitor": {`{"scheme":"https"}`}, "X": {`\`, `\\"`, `\udc80`, "a\tb\x00\x1f\x7f"}},
		{"X": {"caf\xe9", "café", "日本\xff語", "\xed\xb2\x80", "\u2028<>&"}},
		{"": {"a"}, "a,b": {"]", "}", `":[`}},
	} {
		text := AppendHeader(nil, h, "msg_1")
		if !utf8.Valid(text) || !json.Valid(text) {
			t.Errorf("%q is no JSON", text)
		}
		got, err := ParseHeader(string(text), "msg_1")
		if err != nil || !reflect.DeepEqual(got, h) {
			t.Errorf("%q became %q (%v)", h, got, err)
		}
	}
}

func TestHeadersAreWrittenInLittleRoom(t *testing.T) {
	h := map[string][]string{"Svix-Id": {"msg_1"}, "Accept": {"a"}, "X": {"b", "c"}}
	if got, want := string(AppendHeader(nil, h, "msg_1")), `{"Accept":"a","Svix-Id":null,"X":["b","c"]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestHeadersOfTheFirstFormatAreRead(t *testing.T) {
	want := map[string][]string{"Svix-Id": {"msg_1"}, "X": {"b", "c"}}
	if got, err := ParseHeader(`{"Svix-Id":["msg_1"],"X":["b","c"]}`, "msg_1"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q (%v)", got, err)
	}
}

func TestHeadersThatAreNoneAreAnError(t *testing.T) {
	for _, text := range []string{"", "{", "}", "[]", "null", `{"a":"b}`, `{"a":nul}`, `{"a":}`, `{"a":["b"null]}`, `{"a":["b"}`, `{"a":["b"]`, `{"a":["b"]}x`, `{"a":["b" "c"]}`,
		`{"a":["b",]}`, `{,"a":["b"]}`, `{"a":["\x"]}`, `{"a":["\u12"]}`, `{"a":["\u12xy"]}`, `{"a":["\`, `{"a":[1]}`, `{a:[]}`} {
		if h, err := ParseHeader(text, "msg_1"); err == nil {
			t.Errorf("%s: %q", text, h)
		}
	}
}

// FuzzParseHeader holds the parser to encoding/json: what both take means the
// same, but for the bytes that encoding/json has no way to tell.
func FuzzParseHeader(f *testing.F) {
	f.Add(`{"Accept":["*/*","a"],"B":[]}`)
	f.Add(`{"A":["\u00e9\n\"\\\/","\udc80"]}`)
	f.Add(`{"A":"a","Svix-Id":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHeader(text, "msg_1")
		if err != nil {
			return
		}
		again, err := ParseHeader(string(AppendHeader(nil, h, "msg_1")), "msg_1")
		if err != nil || !reflect.DeepEqual(again, h) {
			t.Errorf("%q became %q (%v)", h, again, err)
		}
		var want map[string]any
		if !utf8.ValidString(text) || json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		for name, values := range h {
			for _, s := range append(values, name) {
				if !utf8.ValidString(s) {
					return
				}
			}
			got := make([]any, len(values))
			for i, v := range values {
				got[i] = v
			}
			switch w := want[name].(type) {
			case nil:
				want[name] = []any{"msg_1"}
			case string:
				want[name] = []any{w}
			}
			if !reflect.DeepEqual(got, want[name]) {
				t.Errorf("%s of %q is %q, encoding/json says %q", name, text, got, want[name])
			}
		}
		if len(h) != len(want) {
			t.Errorf("%q has %d headers, encoding/json says %d", text, len(h), len(want))
		}
	})
}
