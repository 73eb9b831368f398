package demo

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSetChangesOneValueAndNoOtherByte(t *testing.T) {
	const doc = "\n{ \"z\" : 12345678901234567890 ,\"a\":{\"b\":[1, {\"c\":\"\\u0041</é\"} ,2.50]},\t\"a\" : { \"n\": null } }\n"
	for _, c := range []struct{ path, value, old, new string }{
		{"z", "1", "12345678901234567890", "1"},
		{"a.n", `"x"`, "null", `"x"`}, // the last member of a name counts
		{"a", " {\"q\": 1} ", `{ "n": null }`, `{"q": 1}`},
		{"a.m", "0", `{ "n": null }`, `{ "n": null,"m":0 }`},
		{"new", "12345678901234567890", `{ "n": null } }`, `{ "n": null },"new":12345678901234567890 }`},
		{"deep.0.x", "true", `{ "n": null } }`, `{ "n": null },"deep":[{"x":true}] }`},
		{`<"é`, "[]", `{ "n": null } }`, `{ "n": null },"<\"é":[] }`},
	} {
		got, err := Set([]byte(doc), strings.Split(c.path, "."), []byte(c.value))
		if i := strings.LastIndex(doc, c.old); err != nil || string(got) != doc[:i]+c.new+doc[i+len(c.old):] {
			t.Errorf("%s=%s: %v\n%s", c.path, c.value, err, got)
		}
	}
	for _, c := range []struct{ doc, path, want string }{
		{"[1, 2.0 ,3 ]", "1", "[1, 9 ,3 ]"},
		{"[1, 2.0 ,3 ]", "3", "[1, 2.0 ,3,9 ]"},
		{"[ ]", "0", "[9 ]"},
		{"{}", "0", `{"0":9}`},
		{`{"0": 1}`, "0", `{"0": 9}`},
		{`[{"a":[1,{"b":"x"}]}]`, "0.a.1.b", `[{"a":[1,{"b":9}]}]`},
	} {
		if got, err := Set([]byte(c.doc), strings.Split(c.path, "."), []byte("9")); err != nil || string(got) != c.want {
			t.Errorf("%s in %s: %s, %v", c.path, c.doc, got, err)
		}
	}
	for path, says := range map[string]string{
		"z.x": "12345678901234567890", "a.n.x": "null", "l.x": "numbers", "l.2": "1 elements", "l.-1": "numbers", "new.1": "0 elements", "l.0.x": "true",
	} {
		if got, err := Set([]byte(`{"z":12345678901234567890,"a":{"n":null},"l":[true]}`), strings.Split(path, "."), []byte("1")); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %s, %v", path, got, err)
		}
	}
}

func TestValuesAreJSONIfTheyParse(t *testing.T) {
	for text, want := range map[string]string{
		"12345678901234567890": "12345678901234567890", "true": "true", "null": "null", `"1"`: `"1"`, "[1]": "[1]", "": `""`, "a<b&c": `"a<b&c"`, "{x": `"{x"`, "1.": `"1."`,
	} {
		if got := string(Value(text)); got != want {
			t.Errorf("%s is %s", text, got)
		}
	}
}

func FuzzSet(f *testing.F) {
	f.Add(`{"a":[1,{"b":null}]}`, "a.1.b", "x")
	f.Add("[ ]", "0.1", "{}")
	f.Fuzz(func(t *testing.T, doc, path, value string) {
		if !json.Valid([]byte(doc)) || !utf8.ValidString(path) {
			return
		}
		once, err := Set([]byte(doc), strings.Split(path, "."), Value(value))
		if err != nil {
			return
		}
		if !json.Valid(once) {
			t.Errorf("%s of %s: %s", path, doc, once)
		}
		// An index may have been appended to an array, so that the same path names it now.
		if twice, err := Set(once, strings.Split(path, "."), Value(value)); err != nil || string(twice) != string(once) {
			t.Errorf("%s of %s: %s, then %s (%v)", path, doc, once, twice, err)
		}
	})
}
