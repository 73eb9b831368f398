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

// palette gives each role a colour, for one kind of background.
type palette struct {
	name     string
	colors   [roles]color.Color   // nil: the terminal's own
	blocks   map[Role]color.Color // backgrounds of the roles that have their own
	selected color.Color          // background of the selected row
	// The darkest and the lightest background that the colours are made for.
	backgrounds [2]color.Color
}

var darkPalette = palette{
	name: "dark",
	colors: [roles]color.Color{
		Dim: hex(0x9aa0b4), Faint: hex(0x7a8096), Accent: hex(0x8fb4ff),
		Waiting: hex(0xc3c7d6), Busy: hex(0x6fc9f5), Good: hex(0x86d993), Bad: hex(0xff8790),
		Warn: hex(0xf0c674), Stopped: hex(0xd7a6e8), none: hex(0x9aa0b4),
		key: hex(0x8fb4ff), text: hex(0xb5d99c), number: hex(0xf0c674), match: hex(0xffd75f),
		Alarm: hex(0xffffff), Alert: hex(0x1a1400),
	},
	blocks:      map[Role]color.Color{Alarm: hex(0xb3263a), Alert: hex(0xf0c674)},
	selected:    hex(0x2c3550),
	backgrounds: [2]color.Color{hex(0x000000), hex(0x24273a)},
}

var lightPalette = palette{
	name: "light",
	colors: [roles]color.Color{
		Dim: hex(0x565c6b), Faint: hex(0x676d7c), Accent: hex(0x1d55b0),
		Waiting: hex(0x4a5060), Busy: hex(0x0a5f8f), Good: hex(0x17692e), Bad: hex(0xb31c2c),
		Warn: hex(0x7a4d00), Stopped: hex(0x7c3a94), none: hex(0x565c6b),
		key: hex(0x1d55b0), text: hex(0x17692e), number: hex(0x7a4d00), match: hex(0x8a2be2),
		Alarm: hex(0xffffff), Alert: hex(0xffffff),
	},
	blocks:      map[Role]color.Color{Alarm: hex(0xb31c2c), Alert: hex(0x8a5a00)},
	selected:    hex(0xd6e2f8),
	backgrounds: [2]color.Color{hex(0xeff1f5), hex(0xffffff)},
}

func hex(rgb uint32) color.Color {
	return color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff}
}

// Theme is the SGR sequences that begin each role, on a normal row and on the
// selected one. Each starts with a reset. They have full colours; Bubble Tea reduces
// them to what the terminal can show.
type Theme struct {
	Name     string
	On       [roles]string
	selected [roles]string
}

// NewTheme returns a theme by its name. auto starts dark; the terminal can change that.
func NewTheme(name string) *Theme {
	switch name {
	case "light":
		return colored(&lightPalette)
	case "mono":
		return mono()
	}
	return colored(&darkPalette)
}

func colored(p *palette) *Theme {
	th := &Theme{Name: p.name}
	for r := range roles {
		st := attributes(r)
		if c := p.colors[r]; c != nil {
			st = st.ForegroundColor(c)
		}
		th.On[r] = opening(st)
		th.selected[r] = opening(st.BackgroundColor(p.selected))
		if block := p.blocks[r]; block != nil {
			th.On[r] = opening(st.BackgroundColor(block))
			th.selected[r] = th.On[r]
		}
	}
	return th
}

func mono() *Theme {
	th := &Theme{Name: "mono"}
	for r := range roles {
		st := attributes(r)
		if r == Dim || r == Faint || r == none {
			st = st.Faint()
		}
		th.On[r] = opening(st)
		th.selected[r] = opening(attributes(r).Reverse(true))
		if r == Alarm || r == Alert { // the other way round on the selected row
			th.On[r], th.selected[r] = th.selected[r], th.On[r]
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
			b.WriteString(Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
