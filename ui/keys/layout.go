package keys

import (
	"strings"
	"unicode"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/text/unicode/norm"
)

// Places of letters on the usual layouts, and the keys that are there on a Latin one.
const (
	elsewhere = "йцукенгшщзхъфывапролджэячсмитьбюёіїєґўјљњџѕ" + "ςερτυθιοπασδφγηξκλζχψωβνμ"
	latin     = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`s]'\\ojqwxy" + "wertyuiopasdfghjklzxcvbnm"

	unshifted = "`1234567890-=[]\\;',./"
	shifted   = "~!@#$%^&*()_+{}|:\"<>?"
)

// Latin names a key without text, such as ctrl and a letter, by the letter of a Latin
// layout, if its own is of another script. Bubble Tea would name all by the place on an
// American keyboard: ctrl+z on a German one would be ctrl+y.
func Latin(k tea.KeyPressMsg) tea.KeyPressMsg {
	if k.Text != "" || k.Code > unicode.MaxRune {
		return k
	}
	if k.Code > unicode.MaxASCII {
		if key := []rune(elsewhereTo(k, string(k.Code))); len(key) == 1 {
			k.Code = unicode.ToLower(key[0])
		}
	}
	k.BaseCode = 0
	return k
}

// Pressed returns what a key does in a place, or None. A character that is bound does
// what it says on every layout. Of the others, those that are not ASCII do what the key
// in their place does: the one that the terminal tells, else that of the usual Cyrillic
// or Greek layout, or the same character in half width.
func (s Set) Pressed(k tea.KeyPressMsg, in Place) Action {
	a := s.Lookup(k.String(), in)
	if a != None || strings.IndexFunc(k.Text, func(r rune) bool { return r > unicode.MaxASCII }) < 0 {
		return a
	}
	key := elsewhereTo(k, k.Text)
	if key == " " {
		key = "space"
	}
	return s.Lookup(key, in)
}

// elsewhereTo is the key of a Latin layout in the place of k, which means text; "" if it
// is not known.
func elsewhereTo(k tea.KeyPressMsg, text string) string {
	text = norm.NFKC.String(text)
	r, n := utf8.DecodeRuneInString(text)
	key := text
	switch i := strings.Index(elsewhere, string(unicode.ToLower(r))); {
	case k.BaseCode != 0:
		key = string(k.BaseCode)
	case n != len(text):
		return ""
	case i >= 0:
		key = latin[utf8.RuneCountInString(elsewhere[:i]):][:1]
	default: // its own, in half width
		return text
	}
	if k.Mod.Contains(tea.ModShift) || unicode.IsUpper(r) {
		if i := strings.Index(unshifted, key); i >= 0 {
			return shifted[i : i+1]
		}
		return strings.ToUpper(key)
	}
	return key
}
