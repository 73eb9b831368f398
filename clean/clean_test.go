package clean

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

var hostile = []string{
	"plain", "\x1b[2J\x1b]0;title\x07", "a\u0080b\u009b31m\u009f", "\x7f", "right\u202eleft\u2066\u061c\u200f",
	"two\nlines\r\n", "\xff\xfe\xc3", "quote\"back\\slash", "\u2028\u2029", "日本語 👩‍💻", "a\x00b", "\ufeff", strings.Repeat("long", 100),
}

// FuzzClean checks that no character that acts on a terminal, or on how a line is
// read, is left in a text, and that a text that was cleaned stays as it is.
func FuzzClean(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Text(text)
		if !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is no UTF-8", text, got)
		}
		for _, r := range got {
			format := unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
			if format || unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
				t.Errorf("%q became %q, which holds %U", text, got, r)
			}
		}
		if again := Text(got); again != got {
			t.Errorf("%q became %q, and that %q", text, got, again)
		}
	})
}

func TestALineIsOneShortLineOfText(t *testing.T) {
	const text = "a\x1b[31m\x00\u202eb\u200b\nc\u009b \x1b]0;title\x07\t d"
	if got, want := Line(text), "ab c d"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	for _, text := range append(hostile, strings.Repeat("ä", 1000), strings.Repeat("\x1b[0m", 10_000)+"x") {
		got := Line(text)
		if got != Text(got) || utf8.RuneCountInString(got) > 201 || strings.ContainsAny(got, "\n\t") || strings.TrimSpace(got) != got {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestQuotedTextHoldsNothingThatActs(t *testing.T) {
	for _, text := range hostile {
		got := Quoted(text)
		if got[0] != '"' || got != Text(got) && !strings.Contains(text, "👩") || utf8.RuneCountInString(text) > 80 != strings.HasSuffix(got, "…") {
			t.Errorf("%q became %s", text, got)
		}
	}
}

func TestAURLIsShownWithoutItsSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"https://token@host:1/p?key=secret&b=c#f": "https://host:1/p?…#f",
		"https://me:word@host/":                   "https://host/",
		"http://host/path":                        "http://host/path",
		"http://host/%zz":                         "http://host/%zz",
		"http://me:word@ho st/%zz":                "(no URL)",
		"/only?secret":                            "/only?…",
	} {
		if got := URL(text); got != want {
			t.Errorf("%s became %s, not %s", text, got, want)
		}
	}
}

func TestNoLoginLeavesNoPasswordInAnyURL(t *testing.T) {
	for text, want := range map[string]string{
		"http://joe:s3cret@127.0.0.1:18090/s/500":            "http://127.0.0.1:18090/s/500",
		`{"url":"https:\/\/joe:p@ss@h.example\/a","n":1}`:    `{"url":"https:\/\/h.example\/a","n":1}`,
		`{"a":"https://token@h.example","b":"x@y.example"}`:  `{"a":"https://h.example","b":"x@y.example"}`,
		"https://h.example/@joe and https://h.example?q=a@b": "https://h.example/@joe and https://h.example?q=a@b",
		"postgres://u:p@db/x, then wss://u:p@h":              "postgres://db/x, then wss://h",
		"no URL: joe@h.example, 12:30 // a@b":                "no URL: joe@h.example, 12:30 // a@b",
	} {
		if got := NoLogin(text); got != want {
			t.Errorf("%s is %s, not %s", text, got, want)
		}
	}
}

func TestWhatAServerSaysIsInItsOwnWords(t *testing.T) {
	for body, want := range map[string]string{
		`{"detail":[{"loc":["body","url"],"msg":"field required"},{"loc":[],"msg":"none"},{"msg":"x"},"y"]}`: "body.url: field required; none; x; y",
		`{"code":"forbidden"}`: "forbidden", `{"error":{"message":"deep"}}`: "deep", `{"reason":"no"}`: `{"reason":"no"}`,
		"<html><title>t</title><h1>It  <b>broke</b></h1>": "It broke", "two\nlines\x1b[31m": "two lines[31m", "": "",
		`{"message":"whsec_abc+/= and whsk_x of http://me:word@host/"}`: "whsec_**** and whsk_**** of http://host/",
		strings.Repeat("ä", 600): strings.Repeat("ä", 510) + "…",
	} {
		if got := Said("", []byte(body)); got != want {
			t.Errorf("%s says %q, not %q", body, got, want)
		}
	}
}
