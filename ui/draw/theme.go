package draw

import (
	"fmt"
	"image/color"

	"charm.land/lipgloss/v2"

	"aspectop/model"
)

// Role is what a text is on the screen; the theme says how that looks. Views
// name roles only, never colours.
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
	// backgrounds are the darkest and the lightest background the colours are
	// made for; a test holds every colour to a contrast on both.
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

// Theme is a palette made ready: the escape sequences that switch each role on,
// on a normal row and on the selected one. Each starts from a reset, so roles
// need not be switched off. The sequences carry full colours; the terminal's
// real ability is applied when the frame is written.
type Theme struct {
	Name     string
	On       [roles]string
	selected [roles]string
}

// The themes by the name that --theme takes; auto starts dark and follows what
// the terminal says about its background.
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
			st = st.Foreground(c)
		}
		th.On[r] = opening(st)
		th.selected[r] = opening(st.Background(p.selected))
		if block := p.blocks[r]; block != nil {
			th.On[r] = opening(st.Background(block))
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
			st = st.Faint(true)
		}
		th.On[r] = opening(st)
		th.selected[r] = opening(attributes(r).Reverse(true))
		if r == Alarm || r == Alert { // the other way round on the selected row
			th.On[r], th.selected[r] = th.selected[r], th.On[r]
		}
	}
	return th
}

func attributes(r Role) lipgloss.Style {
	st := lipgloss.NewStyle()
	switch r {
	case Strong, Bad, Alarm, Alert:
		return st.Bold(true)
	case match:
		return st.Bold(true).Underline(true)
	}
	return st
}

// opening is what a style writes before a text, behind a reset.
func opening(st lipgloss.Style) string {
	s := st.Render("x")
	for i := range s {
		if s[i] == 'x' && (i == 0 || s[i-1] == 'm') {
			return "\x1b[m" + s[:i]
		}
	}
	panic(fmt.Sprintf("ui: style without text: %q", s))
}

// StateRole is how a feature or task in the state is drawn.
func StateRole(s model.State) Role { return s.Info().Role }
