package draw

import (
	"image/color"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
)

// Role is what a text is; the theme gives it a colour. Views name roles only.
type Role = model.Role

// The roles of [model.Role] and those that only the screen has.
const (
	Plain   = model.RolePlain // the terminal's own colour
	Dim     = model.RoleDim
	Faint   = model.RoleFaint
	Waiting = model.RoleWaiting
	Busy    = model.RoleBusy
	Good    = model.RoleGood
	Bad     = model.RoleBad
	Warn    = model.RoleWarn
	Stopped = model.RoleStopped
	none    = model.RoleNone
)

const (
	Strong = model.Roles + iota // what the eye should find first
	Accent                      // the program itself: titles, keys, links
	key                         // JSON: names
	text                        // JSON: strings
	number                      // JSON: numbers and literals
	match                       // search hits
	Alarm                       // what failed, as a block of colour
	Alert                       // what stalled, as a block of colour
	roles
)

// palette gives each role a colour. Those of dark and light can be read also where they are
// reduced to 256 colours: dark on black to #1e1e1e, light on white to #eeeeee. Good and Bad
// differ in lightness too, for eyes that do not tell green from red.
type palette struct {
	name     string
	colors   [roles]color.Color   // nil: the terminal's own
	blocks   map[Role]color.Color // backgrounds of the roles that have their own
	selected color.Color          // background of the selected row; nil: reverse video
}

var darkPalette = palette{
	name: "dark",
	colors: [roles]color.Color{
		Dim: hex(0xa4aabd), Faint: hex(0x959baf), Accent: hex(0x8fb4ff),
		Waiting: hex(0xc3c7d6), Busy: hex(0x6fc9f5), Good: hex(0xa5e3af), Bad: hex(0xff6d72),
		Warn: hex(0xf0c674), Stopped: hex(0xd7a6e8), none: hex(0xa4aabd),
		key: hex(0x8fb4ff), text: hex(0xb5d99c), number: hex(0xf0c674), match: hex(0xffd75f),
		Alarm: hex(0xffffff), Alert: hex(0x1a1400),
	},
	blocks:   map[Role]color.Color{Alarm: hex(0xb31c2c), Alert: hex(0xf0c674)},
	selected: hex(0x202c74),
}

var lightPalette = palette{
	name: "light",
	colors: [roles]color.Color{
		Dim: hex(0x4c5260), Faint: hex(0x5b616f), Accent: hex(0x1d55b0),
		Waiting: hex(0x3c4252), Busy: hex(0x0a5f8f), Good: hex(0x0e421e), Bad: hex(0xc41e2c),
		Warn: hex(0x7a4d00), Stopped: hex(0x7c3a94), none: hex(0x4c5260),
		key: hex(0x1d55b0), text: hex(0x17692e), number: hex(0x7a4d00), match: hex(0x8a2be2),
		Alarm: hex(0xffffff), Alert: hex(0xffffff),
	},
	blocks:   map[Role]color.Color{Alarm: hex(0xb31c2c), Alert: hex(0x8a5a00)},
	selected: hex(0xd8eefa),
}

func hex(rgb uint32) color.Color {
	return color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff}
}

// terminalPalette is for terminals of sixteen colours and for those whose background is
// unknown. Of the names it has only those that can be read on black and on white as terminals
// ship them: green, yellow and cyan cannot. Without a colour of its own, what is cancelled is faint.
var terminalPalette = palette{
	name: "terminal",
	colors: [roles]color.Color{
		Busy: ansi.BrightBlue, Bad: ansi.Red, Warn: ansi.Magenta,
		key: ansi.BrightBlue, number: ansi.Magenta, Alarm: ansi.BrightWhite, Alert: ansi.Black,
	},
	blocks: map[Role]color.Color{Alarm: ansi.Red, Alert: ansi.Yellow},
}

var monoPalette = palette{name: "mono"}

// Theme is the SGR sequences that begin each role, on a normal row and on the
// selected one. Each starts with a reset. Bubble Tea reduces them to the colours that the
// terminal can show.
type Theme struct {
	Name     string
	On       [roles]string
	selected [roles]string
	reverses bool // the selected row
}

// NewTheme returns a theme by its name: light, mono or terminal; else dark.
func NewTheme(name string) *Theme {
	for _, p := range []*palette{&lightPalette, &monoPalette, &terminalPalette} {
		if p.name == name {
			return themeOf(p)
		}
	}
	return themeOf(&darkPalette)
}

func themeOf(p *palette) *Theme {
	th := &Theme{Name: p.name, reverses: p.selected == nil}
	for r := range roles {
		on, c := attributes(r), p.colors[r]
		switch {
		case c != nil:
			on = on.ForegroundColor(c)
		case p.selected == nil && (r == Dim || r == Faint || r == Stopped || r == none):
			on = on.Faint()
		}
		th.On[r] = opening(on)
		switch block := p.blocks[r]; {
		case block != nil:
			th.On[r] = opening(on.BackgroundColor(block))
			th.selected[r] = th.On[r]
		case p.selected != nil:
			th.selected[r] = opening(on.BackgroundColor(p.selected))
		default:
			th.selected[r] = opening(attributes(r).Reverse(true))
			if r == Alarm || r == Alert { // the other way round on the selected row
				th.On[r], th.selected[r] = th.selected[r], th.On[r]
			}
		}
	}
	return th
}

func attributes(r Role) (st ansi.Style) {
	switch r {
	case Strong, Bad, Alarm, Alert:
		return st.Bold()
	case match:
		return st.Bold().Underline(true)
	}
	return st
}

func opening(st ansi.Style) string {
	if len(st) == 0 {
		return ansi.ResetStyle
	}
	return ansi.ResetStyle + st.String()
}

// The characters of the screen, one cell wide, each with a stand-in in asciiOf.
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
	GlyphFold     = "┆" // at both sides of a stretch of time that is folded
	GlyphUsual    = "◇" // where something usually ends
	GlyphEarlier  = "←"
	GlyphSorted   = "▾"
)

var (
	GlyphSpark  = []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}
	GlyphMotion = []string{"▸", "▹"} // processing, animated
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
	'▹': ')', '╭': '+', '╮': '+', '╰': '+', '╯': '+', '┏': '#', '┓': '#', '┗': '#', '┛': '#', '━': '=', '┃': '#', '×': 'x', '▾': 'v', '┆': ':', '◇': 'o', '↑': '^', '↓': 'v', '←': '<', '–': '-',
})

func withSigns(m map[rune]byte) map[rune]byte {
	for _, s := range model.States {
		m[[]rune(s.Sign)[0]] = s.ASCII
	}
	return m
}

// ToASCII replaces our characters by their stand-ins, others by question marks.
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
			b.WriteString(Repeat("?", ansi.StringWidthWc(string(r))))
		}
	}
	return b.String()
}
