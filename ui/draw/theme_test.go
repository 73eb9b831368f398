package draw

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// TestEveryColourCanBeReadAsItReachesTheTerminal looks at what is written for each role
// once it is reduced to what a terminal can show. Contrast is that of WCAG 2.2 for text.
func TestEveryColourCanBeReadAsItReachesTheTerminal(t *testing.T) {
	backgrounds := map[string][]color.Color{
		"dark":  {hex(0x000000), hex(0x1e1e1e)},
		"light": {hex(0xffffff), hex(0xeeeeee)},
	}
	for theme, behind := range backgrounds {
		for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			th := NewTheme(theme)
			for r := range roles {
				for _, row := range []struct {
					on  string
					bgs []color.Color
				}{{th.On[r], behind}, {th.selected[r], nil}} {
					st := reduced(t, profile, row.on)
					if st.Bg != nil {
						row.bgs = []color.Color{st.Bg}
					} else if row.bgs == nil {
						t.Errorf("%s, %s: role %d on the selected row has no background", theme, profile, r)
					}
					if st.Fg == nil { // the terminal's own: near the other end
						st.Fg = map[string]color.Color{"dark": hex(0xcccccc), "light": hex(0x333333)}[theme]
					}
					for _, bg := range row.bgs {
						if got := contrast(st.Fg, bg); got < 4.5 {
							t.Errorf("%s, %s: role %d is written %q, %v on %v, a contrast of %.2f", theme, profile, r, row.on, rgb(st.Fg), rgb(bg), got)
						}
					}
				}
			}
		}
	}
}

// TestWhatFailedIsRedInEveryDepth also tells it from what stalled.
func TestWhatFailedIsRedInEveryDepth(t *testing.T) {
	for _, theme := range []string{"dark", "light", "terminal"} {
		for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256, colorprofile.ANSI} {
			if profile == colorprofile.ANSI && theme != "terminal" {
				continue // sixteen colours have a palette of their own
			}
			th := NewTheme(theme)
			block, word := reduced(t, profile, th.On[Alarm]).Bg, reduced(t, profile, th.On[Bad]).Fg
			for what, c := range map[string]color.Color{"block": block, "word": word} {
				if r, g, b, _ := c.RGBA(); r < 2*g && g > 0x9fff || r <= g || r <= b {
					t.Errorf("%s, %s: the %s of what failed is %s", theme, profile, what, rgb(c))
				}
			}
			if stalled := reduced(t, profile, th.On[Alert]).Bg; rgb(stalled) == rgb(block) {
				t.Errorf("%s, %s: stalled and failed are both %s", theme, profile, rgb(block))
			}
			if warn := reduced(t, profile, th.On[Warn]).Fg; rgb(warn) == rgb(word) {
				t.Errorf("%s, %s: a warning and a failure are both %s", theme, profile, rgb(word))
			}
		}
	}
}

// TestWhatFailedAndWhatCompletedDifferInLightness to eyes that do not tell red from green
// (deuteranopia, after Viénot, Brettel and Mollon 1999): bars of both stand beside each other.
func TestWhatFailedAndWhatCompletedDifferInLightness(t *testing.T) {
	seen := func(c color.Color) float64 { // red and green are the same yellow, and blue hardly counts
		red, green, blue := linear(c)
		yellow := 0.29275*red + 0.70725*green
		return 0.9278*yellow + 0.0722*max(0, blue+0.02234*(green-red))
	}
	for _, theme := range []string{"dark", "light"} {
		for _, profile := range []colorprofile.Profile{colorprofile.TrueColor, colorprofile.ANSI256} {
			th := NewTheme(theme)
			failed, completed := reduced(t, profile, th.On[Bad]).Fg, reduced(t, profile, th.On[Good]).Fg
			a, b := seen(failed), seen(completed)
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < 1.5 {
				t.Errorf("%s, %s: %s and %s have a contrast of %.2f", theme, profile, rgb(failed), rgb(completed), got)
			}
		}
	}
}

// reduced is the style that a sequence has once it is written for a profile.
func reduced(t *testing.T, profile colorprofile.Profile, sequence string) uv.Style {
	t.Helper()
	var b strings.Builder
	w := colorprofile.Writer{Forward: &b, Profile: profile}
	if _, err := w.WriteString(sequence + "x" + ansi.ResetStyle); err != nil {
		t.Fatal(err)
	}
	cells := uv.NewScreenBuffer(1, 1)
	uv.NewStyledString(b.String()).Draw(cells, cells.Bounds())
	return cells.CellAt(0, 0).Style
}

func rgb(c color.Color) string {
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// TestSixteenColoursHaveAPaletteOfTheirOwn: names only, and the selected row is reversed.
func TestSixteenColoursHaveAPaletteOfTheirOwn(t *testing.T) {
	th := NewTheme("terminal")
	for r, want := range map[Role][2]string{
		Plain: {"", "7"}, Dim: {"2", "7"}, Faint: {"2", "7"}, none: {"2", "7"}, Stopped: {"2", "7"},
		Strong: {"1", "1;7"}, Accent: {"", "7"}, Waiting: {"", "7"}, Good: {"", "7"}, text: {"", "7"},
		Busy: {"94", "7"}, key: {"94", "7"}, Warn: {"35", "7"}, number: {"35", "7"},
		Bad: {"1;31", "1;7"}, match: {"1;4", "1;4;7"},
		Alarm: {"1;97;41", "1;97;41"}, Alert: {"1;30;43", "1;30;43"},
	} {
		for i, got := range []string{th.On[r], th.selected[r]} {
			expected := ansi.ResetStyle
			if want[i] != "" {
				expected += "\x1b[" + want[i] + "m"
			}
			if got != expected {
				t.Errorf("role %d, selected %t: %q, not %q", r, i == 1, got, expected)
			}
		}
	}
	if n := int(roles); n != 18 {
		t.Errorf("%d roles, not all of them are in the table", n)
	}
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b := linear(c)
	return 0.2126*r + 0.7152*g + 0.0722*b
}

// linear are the parts of a colour's light.
func linear(c color.Color) (r, g, b float64) {
	part := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	red, green, blue, _ := c.RGBA()
	return part(red), part(green), part(blue)
}

func TestNoStateIsToldByColourAlone(t *testing.T) {
	seen := map[string]model.State{}
	for _, s := range append(model.StateNames(), "warming") {
		sign := s.Info().Sign + s.Info().Letter
		if other, same := seen[sign]; same {
			t.Errorf("%s and %s look the same: %q", s, other, sign)
		}
		seen[sign] = s
	}
}

func TestOwnGlyphsAreOneCellAndHaveAStandIn(t *testing.T) {
	for r, c := range asciiOf {
		if ansi.StringWidth(string(r)) != 1 || ansi.StringWidthWc(string(r)) != 1 {
			t.Errorf("%q is not one cell wide by every measure", r)
		}
		if c < ' ' || c > '~' {
			t.Errorf("the stand-in of %q is %q", r, c)
		}
	}
}

func TestTheMonoThemeUsesNoColour(t *testing.T) {
	colour := regexp.MustCompile(`[\[;](3[0-9]|4[0-8]|9[0-7]|10[0-7])[;m]`)
	th := NewTheme("mono")
	for r := range roles {
		for _, s := range []string{th.On[r], th.selected[r]} {
			if colour.MatchString(s) {
				t.Errorf("role %d switches on a colour: %q", r, s)
			}
		}
	}
}
