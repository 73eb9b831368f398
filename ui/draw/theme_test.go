package draw

import (
	"image/color"
	"math"
	"regexp"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// Contrast by WCAG 2.2: 4.5 for text, 3 for lines and frames.
const (
	textContrast = 4.5
	lineContrast = 3
)

func TestEveryColourCanBeReadOnItsBackgrounds(t *testing.T) {
	for _, p := range []*palette{&darkPalette, &lightPalette} {
		for r := range roles {
			c := p.colors[r]
			if c == nil {
				continue
			}
			least := textContrast
			if r == Faint {
				least = lineContrast
			}
			backgrounds := []color.Color{p.backgrounds[0], p.backgrounds[1], p.selected}
			if block := p.blocks[r]; block != nil {
				backgrounds = []color.Color{block}
			}
			for _, background := range backgrounds {
				if got := contrast(c, background); got < least {
					t.Errorf("%s: role %d has a contrast of %.1f on %v, less than %.1f", p.name, r, got, background, least)
				}
			}
		}
	}
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
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
	th := mono()
	for r := range roles {
		for _, s := range []string{th.On[r], th.selected[r]} {
			if colour.MatchString(s) {
				t.Errorf("role %d switches on a colour: %q", r, s)
			}
		}
	}
}
