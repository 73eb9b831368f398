package draw

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// styles are all that a line may hold beside text: how text looks.
var styles = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// harmless reports, for a line that was drawn w cells wide, whatever is in it
// beside text and styles.
func harmless(t *testing.T, line string, w int) {
	t.Helper()
	text := styles.ReplaceAllString(line, "")
	if !utf8.ValidString(text) {
		t.Errorf("no UTF-8: %q", line)
	}
	for _, r := range text {
		format := unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
		if format || unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			t.Errorf("%U is left in %q", r, line)
		}
	}
	cells := 0
	for _, part := range styles.Split(line, -1) { // characters on both sides of a style are not joined
		cells += ansi.StringWidthWc(part)
	}
	if cells != w {
		t.Errorf("%d cells wide, not %d: %q", cells, w, line)
	}
	if !strings.HasSuffix(line, "\x1b[m") {
		t.Errorf("a style is left open: %q", line)
	}
}

// FuzzText checks that whatever is drawn, in a line or in a pane, nothing in it
// acts on the terminal, and that lines are as wide as they should be.
func FuzzText(f *testing.F) {
	for _, text := range []string{
		"plain", "\x1b[2J\x1b]52;c;ZXZpbA==\a", "\u009b2J", "\u202egnp.exe\u2066", "👩\u200d💻👍🏽\u26a0\ufe0f1\ufe0f\u20e3🇩🇪",
		"z" + strings.Repeat("\u0301\u0489", 50), "界界界", "\u1100\u1161क्क्", "a\nb\rc\td", "\xff\xc3\x28", `{"a\u001b[2J":"\u202e","b":[1,"\u009b"]}`, "",
	} {
		f.Add(text, 17, 5)
	}
	themes := []*Theme{NewTheme("dark"), NewTheme("mono")}
	f.Fuzz(func(t *testing.T, text string, w, h int) {
		w, h = 1+abs(w)%200, 1+abs(h)%50
		for _, th := range themes {
			l := NewLine(th, w)
			harmless(t, l.Put(Plain, text).Space(1).Cell(Dim, text, w/3).Right(Plain, text, w/4).Put(Plain, text).String(), w)
			documents := []*Document{TextDocument([]byte(text)), HexDocument([]byte(text))}
			if doc, ok := JSONDocument([]byte(text), true); ok {
				documents = append(documents, doc)
			}
			for _, doc := range documents {
				for _, wrap := range []bool{false, true} {
					p := NewTextPane()
					p.Wrap = wrap
					p.Show(doc, false)
					p.Arrange(w, h)
					lines := p.Draw(th, w, h)
					if len(lines) != h {
						t.Errorf("%d lines, not %d", len(lines), h)
					}
					for _, line := range lines {
						harmless(t, line, w)
					}
				}
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
