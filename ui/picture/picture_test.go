package picture

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	"aspectop/ui/draw"
)

// row is a text of a picture, and word a part of it with where it stands on the grid.
type row struct {
	Y     float64 `xml:"y,attr"`
	Words []word  `xml:"tspan"`
	Inner string  `xml:",innerxml"`
}

type word struct {
	X      float64 `xml:"x,attr"`
	Length float64 `xml:"textLength,attr"`
	Fill   string  `xml:"fill,attr"`
	Weight string  `xml:"font-weight,attr"`
	Text   string  `xml:",chardata"`
}

type rect struct {
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Width  string  `xml:"width,attr"`
	Height string  `xml:"height,attr"`
	Fill   string  `xml:"fill,attr"`
}

type svg struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Fonts  string  `xml:"font-family,attr"`
	Fill   string  `xml:"fill,attr"`
	Rows   []row   `xml:"text"`
	Rects  []rect  `xml:"rect"`
	Paths  []struct {
		D      string `xml:"d,attr"`
		Stroke string `xml:"stroke,attr"`
	} `xml:"path"`
}

func parsed(t *testing.T, picture string) (s svg) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.TrimSpace(picture)))
	if err := d.Decode(&s); err != nil {
		t.Fatalf("the picture is no XML: %v\n%s", err, picture)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		t.Fatalf("something follows the picture: %v", err)
	}
	return s
}

// lines are the rows as they are copied. Each word must stand where it is on the grid; only
// the tests' wide characters are two cells wide.
func (s svg) lines(t *testing.T, h int) []string {
	t.Helper()
	lines := make([]string, h)
	for _, r := range s.Rows {
		y := (r.Y - margin - baseline) / cellHeight
		if y != math.Round(y) || lines[int(y)] != "" {
			t.Fatalf("a row stands at %v", r.Y)
		}
		text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(r.Inner, ""))
		lines[int(y)] = text
		for _, w := range r.Words {
			x, cells := math.Round((w.X-margin)/cellWidth), width(w.Text)
			if math.Abs(w.X-margin-x*cellWidth) > 0.02 || math.Abs(w.Length-float64(cells)*cellWidth) > 0.02 {
				t.Errorf("%q is not on the grid: %v, %v long", w.Text, w.X, w.Length)
			}
			before, after, found := strings.Cut(text, w.Text)
			for found && width(before) < int(x) {
				more, rest, again := strings.Cut(after, w.Text)
				before, after, found = before+w.Text+more, rest, again
			}
			if !found || width(before) != int(x) {
				t.Errorf("%q stands at %v, not where it is in %q", w.Text, x, text)
			}
			if strings.ContainsAny(w.Text, " \u00a0") {
				t.Errorf("%q is no word", w.Text)
			}
		}
	}
	return lines
}

func width(text string) (n int) {
	for _, r := range text {
		if n++; strings.ContainsRune("界面語", r) {
			n++
		}
	}
	return n
}

func TestARowOfAPictureIsCopiedAsARow(t *testing.T) {
	frame := "\x1b[m\x1b[1;38;2;255;135;144mfailed\x1b[m  <b>&\"'\x1b[m\n" +
		"\x1b[48;2;44;53;80m  界面 a語b  \x1b[m│x\n" +
		"\n" +
		"\x1b[m\x1b[7mreverse\x1b[m ]]> é ✓\n" +
		"a \x1b[31ma  aa\x1b[m a"
	s := parsed(t, SVG(frame, 20, 6, "dark"))
	want := []string{`failed  <b>&"'`, "  界面 a語b   x", "", "reverse ]]> é ✓", "a a  aa a", ""}
	for y, line := range s.lines(t, 6) {
		if line != want[y] {
			t.Errorf("line %d is %q, want %q", y, line, want[y])
		}
	}
	if s.Width != 20*8.4+24 || s.Height != 6*18+24 || !strings.HasPrefix(s.Fonts, "'DejaVu Sans Mono',") {
		t.Errorf("the picture is %v times %v, in %s", s.Width, s.Height, s.Fonts)
	}
	if w := s.Rows[0].Words[0]; w.Fill != "#ff8790" || w.Weight != "bold" {
		t.Errorf("the first text is drawn %+v", w)
	}
	var fills []string
	for _, r := range s.Rects {
		fills = append(fills, r.Fill)
	}
	if got := fmt.Sprint(fills); !strings.HasPrefix(got, "[#16181f #2c3550 ") || !strings.HasSuffix(got, " #d8dbe6]") {
		t.Errorf("the backgrounds are %s", got)
	}
}

// TestFramesAndBlocksAreShapes: no font can leave gaps in them.
func TestFramesAndBlocksAreShapes(t *testing.T) {
	picture := SVG("\x1b[32m╭──╮\x1b[m ██▄░▌\n│a │ ┏━━┓┆\n\x1b[32m╰──╯\x1b[m ┗━━┛┃", 10, 3, "dark")
	s := parsed(t, picture)
	if got := s.lines(t, 3); got[0] != "" || got[1] != " a" || got[2] != "" {
		t.Errorf("the text is %q", got)
	}
	var got []string
	for _, r := range s.Rects[1:] {
		got = append(got, fmt.Sprintf("%s×%s at %.1f,%.0f", r.Width, r.Height, (r.X-margin)/cellWidth, r.Y-margin))
	}
	if want := "[16.8×18 at 5.0,0 8.4×9 at 7.0,9 8.4×18 at 8.0,0 4.2×18 at 9.0,0]"; fmt.Sprint(got) != want {
		t.Errorf("the blocks are %v, not %s", got, want)
	}
	if len(s.Paths) != 3 || s.Paths[0].Stroke != Sixteen[2] || strings.Count(s.Paths[0].D, "M") != 6 {
		t.Errorf("the frames are %+v", s.Paths)
	}
	for _, glyph := range []string{draw.GlyphFull, draw.GlyphEmpty, draw.GlyphThick, draw.GlyphNow, draw.GlyphWait, draw.GlyphRule,
		draw.GlyphWall, draw.GlyphFold, draw.GlyphCursor, draw.Round.TopLeft, draw.Round.BottomRight, draw.Heavy.TopRight, draw.Heavy.BottomLeft} {
		if !shape(glyph) {
			t.Errorf("%s is drawn by a font", glyph)
		}
	}
}

func TestAPictureHasTheGroundOfItsTheme(t *testing.T) {
	for theme, want := range map[string]string{"dark": "#d8dbe6 on #16181f", "light": "#20242e on #fbfcfe", "mono": "#e6e6e6 on #101010"} {
		s := parsed(t, SVG("x", 1, 1, theme))
		if got := s.Fill + " on " + s.Rects[0].Fill; got != want || s.Rows[0].Words[0].Fill != "" {
			t.Errorf("%s is drawn %s, want %s", theme, got, want)
		}
	}
}

func TestWhatNoXMLMayHoldIsReplaced(t *testing.T) {
	picture := SVG("a\ufffeb\uffff\x00\x01", 10, 1, "dark")
	if s := parsed(t, picture); !strings.HasPrefix(s.Rows[0].Words[0].Text, "a") || strings.ContainsAny(picture, "\ufffe\uffff\x00\x01") {
		t.Errorf("drawn as %s", picture)
	}
}
