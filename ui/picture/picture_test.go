package picture

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
)

// drawn is a text of a picture, with where it stands on the grid.
type drawn struct {
	X      float64 `xml:"x,attr"`
	Y      float64 `xml:"y,attr"`
	Length float64 `xml:"textLength,attr"`
	Fill   string  `xml:"fill,attr"`
	Weight string  `xml:"font-weight,attr"`
	Text   string  `xml:",chardata"`
}

type svg struct {
	Width  float64 `xml:"width,attr"`
	Height float64 `xml:"height,attr"`
	Texts  []drawn `xml:"text"`
	Rects  []struct {
		Fill string `xml:"fill,attr"`
	} `xml:"rect"`
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

// lines puts the texts back on the grid. Only the tests' wide characters are two
// cells wide.
func (s svg) lines(t *testing.T, w, h int) []string {
	grid := make([][]string, h)
	for y := range grid {
		grid[y] = strings.Split(strings.Repeat(" ", w), "")
	}
	for _, d := range s.Texts {
		x, y := (d.X-margin)/cellWidth, (d.Y-margin-baseline)/cellHeight
		if math.Abs(x-math.Round(x)) > 0.02 || y != math.Round(y) {
			t.Errorf("%q is not on the grid: %v, %v", d.Text, x, y)
		}
		cells := 0
		for _, r := range d.Text {
			at := int(math.Round(x)) + cells
			grid[int(y)][at] = string(r)
			cells++
			if strings.ContainsRune("界面語", r) {
				grid[int(y)][at+1] = ""
				cells++
			}
		}
		if math.Abs(d.Length-float64(cells)*cellWidth) > 0.1 {
			t.Errorf("%q is %v long, not %d cells", d.Text, d.Length, cells)
		}
	}
	lines := make([]string, h)
	for y := range grid {
		lines[y] = strings.TrimRight(strings.Join(grid[y], ""), " ")
	}
	return lines
}

func TestAPictureShowsTheTextOfItsFrame(t *testing.T) {
	frame := "\x1b[m\x1b[1;38;2;255;135;144mfailed\x1b[m  <b>&\"'\x1b[m\n" +
		"\x1b[48;2;44;53;80m  界面 a語b  \x1b[m│\n" +
		"\n" +
		"\x1b[m\x1b[7mreverse\x1b[m ]]> é ✓"
	s := parsed(t, SVG(frame, 20, 5, "dark"))
	want := []string{`failed  <b>&"'`, "  界面 a語b  │", "", "reverse ]]> é ✓", ""}
	for y, line := range s.lines(t, 20, 5) {
		if line != want[y] {
			t.Errorf("line %d is %q, want %q", y, line, want[y])
		}
	}
	if s.Width != 20*8.4+24 || s.Height != 5*18+24 {
		t.Errorf("the picture is %v times %v", s.Width, s.Height)
	}
	if d := s.Texts[0]; d.Fill != "#ff8790" || d.Weight != "bold" {
		t.Errorf("the first text is drawn %+v", d)
	}
	var fills []string
	for _, r := range s.Rects {
		fills = append(fills, r.Fill)
	}
	if got := fmt.Sprint(fills); !strings.HasPrefix(got, "[#16181f #2c3550 ") || !strings.HasSuffix(got, " #d8dbe6]") {
		t.Errorf("the backgrounds are %s", got)
	}
}

func TestAPictureHasTheGroundOfItsTheme(t *testing.T) {
	for theme, want := range map[string]string{"dark": "#d8dbe6 on #16181f", "light": "#20242e on #fbfcfe", "mono": "#e6e6e6 on #101010"} {
		s := parsed(t, SVG("x", 1, 1, theme))
		if got := s.Texts[0].Fill + " on " + s.Rects[0].Fill; got != want {
			t.Errorf("%s is drawn %s, want %s", theme, got, want)
		}
	}
}

func TestWhatNoXMLMayHoldIsReplaced(t *testing.T) {
	picture := SVG("a\ufffeb\uffff\x00\x01", 10, 1, "dark")
	if s := parsed(t, picture); !strings.HasPrefix(s.Texts[0].Text, "a") || strings.ContainsAny(picture, "\ufffe\uffff\x00\x01") {
		t.Errorf("drawn as %s", picture)
	}
}
