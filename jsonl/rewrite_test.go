package jsonl

import (
	"slices"
	"testing"
)

func TestMembersAreOrdered(t *testing.T) {
	reversed := func(names []string) []string { slices.Reverse(names); return names }
	few := func(names []string) []string {
		return slices.DeleteFunc(names, func(name string) bool { return name == "b" })
	}
	for _, c := range []struct {
		text, want string
		order      func([]string) []string
	}{
		{` { "a" : 1, "b": {"c": [ {"x":1} ], "d":"}"} } `, `{"b":{"d":"}","c":[ {"x":1} ]},"a":1}`, reversed},
		{`{"a":1,"b":2,"c":3}`, `{"a":1,"c":3}`, few},
		{`{"a":1,"a":2,"b":3}`, `{"b":3,"a":1,"a":2}`, By([]string{"b"})},
		{`{"a":1,"b":3,"a":2}`, `{"a":1,"a":2,"b":3}`, By([]string{"a", "b"})},
		{`{"z":1,"a":2,"y":3}`, `{"y":3,"z":1,"a":2}`, By([]string{"y", "q"})},
		{`{}`, `{}`, reversed},
		{`[1]`, `[1]`, reversed},
		{`{"a":`, `{"a":`, reversed},
	} {
		if got := string(Ordered(nil, []byte(c.text), c.order)); got != c.want {
			t.Errorf("%s became %s, not %s", c.text, got, c.want)
		}
	}
}

func TestASCIIEscapesAsPythonDoes(t *testing.T) {
	if got, want := string(ASCII([]byte("aé\u20ac😀\x7f"))), "a\\u00e9\\u20ac\\ud83d\\ude00\x7f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
