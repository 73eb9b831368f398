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

// SVG draws a frame of w times h cells with SGR sequences. Each run of cells of one style
// has its own position and length, so no font can shift it.
func SVG(frame string, w, h int, theme string) string {
	buf := uv.NewScreenBuffer(w, h)
	uv.NewStyledString(frame).Draw(buf, buf.Bounds())
	var p painter
	p.fore, p.back = Palette(theme)
	width, height := float64(w)*cellWidth+2*margin, float64(h)*cellHeight+2*margin
	fmt.Fprintf(&p, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" `+
		`font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">`+"\n", width, height, width, height)
	// Cells stand from left to right, whatever the script in them.
	p.WriteString("<style>text { white-space: pre; direction: ltr; unicode-bidi: bidi-override }</style>\n")
	fmt.Fprintf(&p, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", p.back)
	for y := range h {
		p.line(buf, w, y)
	}
	p.WriteString("</svg>\n")
	return p.String()
}

type painter struct {
	strings.Builder
	fore, back string
}

type run struct {
	text    string
	from, n int // cells
	style   uv.Style
}

// line draws one line. A wide character is a run by itself: fonts disagree on its width.
func (p *painter) line(buf uv.ScreenBuffer, w, y int) {
	var r run
	for x := 0; x < w; {
		c := buf.CellAt(x, y)
		n := max(1, c.Width)
		if r.n > 0 && (n > 1 || utf8.RuneCountInString(c.Content) > 1 || !r.style.Equal(&c.Style)) {
			p.run(r, y)
			r = run{}
		}
		if r.n == 0 {
			r = run{from: x, style: c.Style}
		}
		r.text += c.Content
		r.n += n
		if x += n; n > 1 {
			p.run(r, y)
			r = run{}
		}
	}
	if r.n > 0 {
		p.run(r, y)
	}
}

func (p *painter) run(r run, y int) {
	left, top := margin+float64(r.from)*cellWidth, margin+float64(y)*cellHeight
	width := float64(r.n) * cellWidth
	fg, bg := hex(r.style.Fg, p.fore), hex(r.style.Bg, "")
	if r.style.Attrs&uv.AttrReverse != 0 {
		if bg == "" {
			bg = p.back
		}
		fg, bg = bg, fg
	}
	if bg != "" {
		fmt.Fprintf(p, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>`+"\n", left, top, width, cellHeight, bg)
	}
	text := strings.TrimRight(r.text, " ")
	if text == "" || r.style.Attrs&uv.AttrConceal != 0 {
		return
	}
	width -= float64(len(r.text)-len(text)) * cellWidth
	fmt.Fprintf(p, `<text x="%.1f" y="%.1f" textLength="%.1f" lengthAdjust="spacingAndGlyphs" fill="%s" xml:space="preserve"%s>`,
		left, top+baseline, width, fg, looks(r.style))
	xml.EscapeText(p, []byte(text)) // what no XML may hold becomes U+FFFD
	p.WriteString("</text>\n")
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
		more += ` opacity="0.6"`
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
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
