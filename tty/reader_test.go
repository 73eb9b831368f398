package tty

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// read is what a program gets of pieces that come 100 ms apart, or as late as "<d>" before
// one says. A bar stands where one Read ends.
func read(t *testing.T, pieces ...string) (got string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in, out := io.Pipe()
		defer out.Close()
		go func() {
			defer out.Close()
			for i, p := range pieces {
				late := 100 * time.Millisecond
				if strings.HasPrefix(p, "<") {
					d, rest, _ := strings.Cut(p[1:], ">")
					late, _ = time.ParseDuration(d)
					p = rest
				}
				if i > 0 {
					time.Sleep(late)
				}
				io.WriteString(out, p)
			}
			time.Sleep(time.Second)
		}()
		term, p := New(ctx, in, io.Discard), make([]byte, 4096)
		for {
			n, err := term.In.Read(p)
			if err != nil {
				return
			}
			got += string(p[:n]) + "|"
		}
	})
	return got
}

func TestTornSequencesAreWhole(t *testing.T) {
	for _, c := range []struct {
		what   string
		pieces []string
		want   string
	}{
		{"letters", []string{"q", "й"}, "q|й|"},
		{"a letter of two bytes", []string{"\xd0", "\xb9"}, "й|"},
		{"an arrow", []string{"\x1b[", "A"}, "\x1b[A|"},
		{"an arrow of the keypad", []string{"\x1bO", "A"}, "\x1bOA|"},
		{"a key of the keypad with a modifier", []string{"\x1bO", "2", "P"}, "\x1bO2P|"},
		{"the begin and the end of a paste", []string{"\x1b[20", "0~state:failed\x1b[2", "01~"}, "\x1b[200~state:failed\x1b[201~|"},
		{"Esc within a paste", []string{"\x1b[200~a\x1b", "b\x1b[201~"}, "\x1b[200~a\x1bb\x1b[201~|"},
		{"a paste with a torn letter", []string{"\x1b[200~\xd0", "\xb9\x1b[201~"}, "\x1b[200~й\x1b[201~|"},
		{"a colour", []string{"\x1b]11;rgb:1e", "1e/2e2e/3e3e\x1b", "\\"}, "\x1b]11;rgb:1e1e/2e2e/3e3e\x1b\\|"},
		{"a colour that ends with BEL", []string{"\x1b]11;rgb:1e1e/2e2e/3e3e", "\a"}, "\x1b]11;rgb:1e1e/2e2e/3e3e\a|"},
		{"a mode", []string{"\x1b[?2026", ";2$", "y"}, "\x1b[?2026;2$y|"},
		{"a mouse of X10", []string{"\x1b[M", " !", "!"}, "\x1b[M !!|"},
		{"a mouse", []string{"\x1b[<0;1", "0;20M"}, "\x1b[<0;10;20M|"},
		{"a key of Linux's console", []string{"\x1b[", "[A"}, "\x1b[[A|"},
		{"a key of the kitty protocol", []string{"\x1b[1089::9", "9;5u"}, "\x1b[1089::99;5u|"},
		{"in 450 ms", []string{"\x1b[", "<450ms>A"}, "\x1b[A|"},
		{"never", []string{"\x1b]11;rgb:1e", "<600ms>q"}, "q|"},
		{"dripping for ever", []string{"\x1b[1", "<300ms>2", "<300ms>q"}, "q|"},
		{"two at once, the second torn", []string{"j\x1b[", "A"}, "j\x1b[A|"},

		{"Esc", []string{"\x1b"}, escKey + "|"},
		{"Esc twice", []string{"\x1b", "\x1b"}, escKey + "|" + escKey + "|"},
		{"Esc twice at once", []string{"\x1b\x1b"}, escKey + escKey + "|"},
		{"Esc twice and a key", []string{"\x1b\x1bq"}, escKey + "\x1bq|"},
		{"Esc and a key", []string{"\x1b", "q"}, escKey + "|q|"},
		{"alt and a key", []string{"\x1bq"}, "\x1bq|"},
		{"alt and й", []string{"\x1b\xd0", "\xb9"}, "\x1bй|"},
		{"alt and [", []string{"\x1b["}, "\x1b[|"},
		{"alt and an arrow of rxvt", []string{"\x1b\x1b[", "A"}, "\x1b\x1b[A|"},
		{"Esc and soon [", []string{"\x1b", "[", "<600ms>q"}, escKey + "|[|q|"},
		{"torn behind its first byte", []string{"\x1b", "]11;rgb:1e1e/", "2e2e/3e3e\a", "q"}, escKey + "|\x1b]11;rgb:1e1e/2e2e/3e3e\a|q|"},

		{"ctrl+c in a sequence", []string{"\x1b[12", "\x03"}, "\x03|"},
		{"ctrl+c in a string", []string{"\x1b]11;rgb:", "\x03"}, "\x03|"},
		{"a sequence in a string", []string{"\x1b]11;rgb:", "\x1b[A"}, "\x1b[A|"},
		{"too long a string", []string{"\x1b]52;c;" + strings.Repeat("q", 5000), "q\x1b\\j"}, "\x1b]qq\x1b\\j|"},
		{"no UTF-8", []string{"\xff", "\x9b"}, "\xff|\x9b|"},

		{"a shifted key with its base key", []string{"\x1b[1081:1049:113;2u"}, "\x1b[1081:1049:113;2;1049u|"},
		{"and without the shifted one", []string{"\x1b[1081::113;2u"}, "\x1b[1081::113;2;1049u|"},
		{"with Caps Lock", []string{"\x1b[97::113;65u"}, "\x1b[97::113;65;65u|"},
		{"German ?", []string{"\x1b[223:63:45;2:1u"}, "\x1b[223:63:45;2:1;63u|"},
		{"with its text", []string{"\x1b[1081:1049:113;2;1049u"}, "\x1b[1081:1049:113;2;1049u|"},
		{"with ctrl and shift", []string{"\x1b[1089:1057:99;6u"}, "\x1b[1089:1057:99;6u|"},
	} {
		got := read(t, c.pieces...)
		if c.what == "too long a string" { // what is dropped depends on how it is read
			if i := strings.Index(got, "\x1b\\"); i < 0 || i > maxHeld || !strings.HasSuffix(got, "\x1b\\j|") {
				t.Errorf("%s: %q", c.what, got)
			}
			continue
		}
		if got != c.want {
			t.Errorf("%s, %q: %q, not %q", c.what, c.pieces, got, c.want)
		}
	}
}

func TestALoneEscActsWithin50ms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in, out := io.Pipe()
		go io.WriteString(out, "\x1b")
		start, p := time.Now(), make([]byte, 4096)
		n, err := New(ctx, in, io.Discard).In.Read(p)
		if got := string(p[:n]); got != escKey || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if took := time.Since(start); took > 50*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		out.Close()
	})
}

func TestALongTextIsReadAsItCame(t *testing.T) {
	for _, text := range []string{strings.Repeat("й", 10_001), strings.Repeat("\x1b\x1b\x1b[A", 2000), "\x1b[200~" + strings.Repeat("é\x1b[", 5000) + pasteEnd} {
		got := strings.ReplaceAll(read(t, text), "|", "")
		if want := strings.ReplaceAll(text, "\x1b\x1b\x1b[A", escKey+"\x1b\x1b[A"); got != want {
			t.Errorf("%d bytes came as %d", len(want), len(got))
		}
	}
}
