package keys

import (
	"testing"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
)

// decoded is a key as Bubble Tea decodes what a terminal sends.
func decoded(t *testing.T, sent string) tea.KeyPressMsg {
	t.Helper()
	n, e := new(uv.EventDecoder).Decode([]byte(sent))
	k, ok := e.(uv.KeyPressEvent)
	if !ok || n != len(sent) {
		t.Fatalf("%q is %d bytes of %#v", sent, n, e)
	}
	return Latin(tea.KeyPressMsg(k))
}

func TestEveryKeyboardReachesTheKeys(t *testing.T) {
	for _, c := range []struct {
		what, sent string
		want       Action
	}{
		{"Latin q", "q", Quit},
		{"Russian й", "й", Quit},
		{"decomposed й", "и\u0306", Quit},
		{"Russian Й on Q, which is free", "Й", None},
		{"Russian П on G", "П", Bottom},
		{"Russian р on h", "р", Left},
		{"Ukrainian і on s", "і", Sort},
		{"Serbian ј on j", "ј", Down},
		{"Greek ξ on j", "ξ", Down},
		{"Greek Ν on N", "Ν", PrevMatch},
		{"Greek ; on q, which is ASCII", ";", None},
		{"full-width ｑ", "ｑ", Quit},
		{"full-width Ｇ", "Ｇ", Bottom},
		{"full-width ？", "？", Help},
		{"full-width ／", "／", Filter},
		{"ideographic space", "\u3000", Freeze},
		{"no-break space", "\u00a0", Freeze},
		{"Hebrew ח, whose place is not told", "ח", None},
		{"Korean ㅂ, whose place is not told", "ㅂ", None},
		{"several characters", "👩‍💻", None},

		{"Russian й with its base key", "\x1b[1081::113u", Quit},
		{"Hebrew ח with its base key j", "\x1b[1495::106u", Down},
		{"Armenian ՝ with its base key / and shift, as tty tells its text", "\x1b[1373::47;2;1373u", Help},
		{"Ukrainian і with the base key of the Belarusian layout", "\x1b[1110::98u", None},
		{"AZERTY a, whose base key is q", "\x1b[97::113u", None},
		{"AZERTY q, whose base key is a", "\x1b[113::97u", Quit},
		{"AZERTY 1, which is shifted", "\x1b[38:49:49;2u", View0},

		{"Russian ctrl+с", "\x1b[1089::99;5u", Interrupt},
		{"Russian ctrl+с with Num Lock", "\x1b[1089::99;133u", Interrupt},
		{"Russian ctrl+с with Caps Lock and the shifted key", "\x1b[1089:1057:99;69u", Interrupt},
		{"Russian ctrl+с without its base key", "\x1b[1089;5u", Interrupt},
		{"Russian ctrl+с by modifyOtherKeys", "\x1b[27;5;1089~", Interrupt},
		{"Greek ctrl+ψ", "\x1b[968::99;5u", Interrupt},
		{"Greek ctrl+ζ", "\x1b[950::122;5u", Suspend},
		{"full-width ctrl+ｃ", "\x1b[65347;5u", Interrupt},
		{"Hebrew ctrl+ב", "\x1b[1489::99;5u", Interrupt},
		{"Russian ctrl+г", "\x1b[1075::117;5u", HalfUp},
		{"German ctrl+z", "\x1b[122::121;5u", Suspend},
		{"German ctrl+y", "\x1b[121::122;5u", None},
		{"Dvorak ctrl+c", "\x1b[99::105;5u", Interrupt},
		{"Dvorak ctrl+j", "\x1b[106::99;5u", None},
		{"Russian alt+с", "\x1b[1089::99;3u", None},
		{"Esc", "\x1b[27u", Back},
		{"Enter of the number block", "\x1b[57414u", Open},
		{"Up", "\x1b[A", Up},
	} {
		bound := append(Bindings, Binding{View0, Views, Anywhere, []string{"1"}, "", ""})
		if got := bound.Pressed(decoded(t, c.sent), InList); got != c.want {
			t.Errorf("%s, %q, does %d, not %d", c.what, c.sent, got, c.want)
		}
	}
}

// View0 stands for the first view.
const View0 = View

func TestLayoutsHaveAKeyForEachLetter(t *testing.T) {
	if n := len([]rune(elsewhere)); n != len(latin) {
		t.Errorf("%d letters and %d keys", n, len(latin))
	}
	if len(unshifted) != len(shifted) {
		t.Errorf("%d keys and %d with shift", len(unshifted), len(shifted))
	}
	for _, r := range elsewhere {
		if r < 0x80 {
			t.Errorf("%c is ASCII", r)
		}
	}
}
