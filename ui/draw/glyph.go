package draw

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// The characters the screen is drawn with, besides text. Each is one cell wide
// by every way of measuring, and has a stand-in in asciiOf.
const (
	GlyphCursor   = "▌"
	GlyphLive     = "●"
	GlyphDown     = "○"
	GlyphArrow    = "→"
	GlyphEllipsis = "…"
	GlyphFull     = "█"
	GlyphEmpty    = "─"
	GlyphThick    = "━"
	GlyphNow      = "│"
	GlyphWait     = "░" // a stretch of time spent queued
	GlyphDot      = "·"
	GlyphRule     = "─"
	GlyphWall     = "│"
)

var (
	GlyphSpark  = []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	GlyphMotion = []string{"▸", "▹"} // takes the place of processing while it moves
)

// Box is what frames are drawn with.
type Box struct {
	TopLeft, TopRight, BottomLeft, BottomRight, Edge, Wall string
}

var (
	Round = Box{"╭", "╮", "╰", "╯", "─", "│"}
	Heavy = Box{"┏", "┓", "┗", "┛", "━", "┃"} // around what is selected
)

// asciiOf gives the stand-ins for --ascii; the signs of states bring their own.
var asciiOf = withSigns(map[rune]byte{
	'▌': '>', '●': '*', '○': 'o', '→': '>', '…': '~', '█': '#', '─': '-', '│': '|', '░': '.', '·': '.',
	'▁': '_', '▂': '.', '▃': '.', '▄': '-', '▅': '=', '▆': '+', '▇': '*',
	'▹': ')', '╭': '+', '╮': '+', '╰': '+', '╯': '+', '┏': '#', '┓': '#', '┗': '#', '┛': '#', '━': '=', '┃': '#', '↑': '^', '↓': 'v', '←': '<', '–': '-',
})

func withSigns(m map[rune]byte) map[rune]byte {
	for _, s := range model.States {
		m[[]rune(s.Sign)[0]] = s.ASCII
	}
	return m
}

// ToASCII redraws a frame for a terminal that shows nothing but ASCII: our own
// characters by their stand-ins, those from outside by question marks as wide
// as they were.
func ToASCII(frame string) string {
	if ascii(frame) {
		return frame
	}
	var b strings.Builder
	b.Grow(len(frame))
	for _, r := range frame {
		switch c, ours := asciiOf[r]; {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case ours:
			b.WriteByte(c)
		default:
			b.WriteString(Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}

// Glyph is the sign of a state.
func Glyph(s model.State) string { return s.Info().Sign }

// Letter tells a state in one character, because a sign alone is not read by
// everybody.
func Letter(s model.State) string { return s.Info().Letter }
