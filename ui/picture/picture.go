// Package picture draws a frame as SVG: selectable text in the frame's colours, on the
// background of its theme.
package picture

import (
	"encoding/xml"
	"fmt"
	"image/color"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// The measures of a picture, in its own units.
const (
	cellWidth, cellHeight = 8.4, 18.0
	baseline              = 13.5 // of a line, below its top
	margin                = 12.0
)

// Palette is a theme's default text colour and background, as #rrggbb; dark's if unknown.
func Palette(theme string) (fore, back string) {
	switch theme {
	case "light":
		return "#20242e", "#fbfcfe"
	case "mono":
		return "#e6e6e6", "#101010"
	}
	return "#d8dbe6", "#16181f"
}

// Sixteen are the colours that terminals have names for, as they are drawn: black, red, green,
// yellow, blue, magenta, cyan, white, and the bright ones.
var Sixteen = []string{
	"#16181f", "#d6455d", "#86d993", "#f0c674", "#6c9ef8", "#d7a6e8", "#6fc9f5", "#d8dbe6",
	"#7a8096", "#ff8790", "#b5e8b0", "#ffd75f", "#8fb4ff", "#e6c1f2", "#a5e0fa", "#ffffff",
}

// SVG draws a frame of w times h cells with SGR sequences. A row is one text, so it is copied
// as a row; each word in it has its own position and length, so no font can shift it.
func SVG(frame string, w, h int, theme string) string {
	buf := uv.NewScreenBuffer(w, h)
	uv.NewStyledString(frame).Draw(buf, buf.Bounds())
	p := painter{shapes: shapes{paths: map[stroke]*strings.Builder{}}}
	p.fore, p.back = Palette(theme)
	for y := range h {
		p.line(buf, w, y)
	}
	var b strings.Builder
	width, height := float64(w)*cellWidth+2*margin, float64(h)*cellHeight+2*margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" `+
		`font-family="'DejaVu Sans Mono', Menlo, Consolas, ui-monospace, monospace" font-size="14" fill="%s">`+"\n", width, height, width, height, p.fore)
	// Cells stand from left to right, whatever the script in them.
	b.WriteString("<style>text { white-space: pre; direction: ltr; unicode-bidi: bidi-override }</style>\n")
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", p.back)
	b.WriteString(p.grounds.String() + p.shapes.String() + p.texts.String() + "</svg>\n")
	return b.String()
}

type painter struct {
	grounds, texts strings.Builder
	shapes         shapes
	fore, back     string
	blanks         int // since the last word of the row
}

// run are cells of one style: a word, blanks, or the same shape again and again.
type run struct {
	text    string
	from, n int // cells
	style   uv.Style
}

// line draws one row. A wide character is a word by itself: fonts disagree on its width.
func (p *painter) line(buf uv.ScreenBuffer, w, y int) {
	var words strings.Builder
	p.blanks = 0
	single := func(c *uv.Cell) bool { return c.Width > 1 || utf8.RuneCountInString(c.Content) > 1 }
	for x := 0; x < w; {
		first := buf.CellAt(x, y)
		r := run{text: first.Content, from: x, n: max(1, first.Width), style: first.Style}
		x += r.n
		for alone := single(first); x < w && !alone; x++ {
			c := buf.CellAt(x, y)
			same := c.Content == first.Content
			if !c.Style.Equal(&r.style) || single(c) || !same && (shape(c.Content) || shape(first.Content)) {
				break
			}
			r.text += c.Content
			r.n++
		}
		p.run(&words, r, y)
	}
	if words.Len() > 0 {
		fmt.Fprintf(&p.texts, `<text y="%s" xml:space="preserve">%s</text>`+"\n", units(margin+float64(y)*cellHeight+baseline), &words)
	}
}

func (p *painter) run(words *strings.Builder, r run, y int) {
	left, top := margin+float64(r.from)*cellWidth, margin+float64(y)*cellHeight
	fg, bg := hex(r.style.Fg, p.fore), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		if bg == "" {
			bg = p.back
		}
		fg, bg = bg, fg
	}
	if bg != "" {
		fmt.Fprintf(&p.grounds, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n",
			units(left), units(top), units(float64(r.n)*cellWidth), units(cellHeight), bg)
	}
	first, _ := utf8.DecodeRuneInString(r.text)
	if r.style.Attrs&uv.AttrConceal != 0 || p.shapes.draw(string(first), r.n, left, top, fg, r.style) {
		p.blanks += r.n
		return
	}
	look := looks(r.style)
	if fg != p.fore {
		look += fmt.Sprintf(` fill="%s"`, fg)
	}
	cells := 0 // of the run, so far
	for i, word := range strings.Split(r.text, " ") {
		if i > 0 {
			p.blanks++
			cells++
		}
		if word == "" {
			continue
		}
		n := utf8.RuneCountInString(word)
		if word == r.text { // it may be wide, or of several characters
			n = r.n
		}
		fmt.Fprintf(words, `%s<tspan x="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"%s>`,
			strings.Repeat(" ", p.blanks), units(left+float64(cells)*cellWidth), units(float64(n)*cellWidth), look)
		xml.EscapeText(words, []byte(word)) // what no XML may hold becomes U+FFFD
		words.WriteString("</tspan>")
		p.blanks = 0
		cells += n
	}
}

func looks(s uv.Style) string {
	var more string
	if s.Attrs&uv.AttrBold != 0 {
		more += ` font-weight="bold"`
	}
	if s.Attrs&uv.AttrItalic != 0 {
		more += ` font-style="italic"`
	}
	if s.Attrs&uv.AttrFaint != 0 {
		more += ` fill-opacity="0.6"`
	}
	if s.Underline != uv.UnderlineNone {
		more += ` text-decoration="underline"`
	}
	return more
}

func hex(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	if named, is := c.(ansi.BasicColor); is && int(named) < len(Sixteen) {
		return Sixteen[named]
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
