package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"aspectop/ui/draw"
)

// colours is what is known of the terminal's.
type colours struct {
	profile    colorprofile.Profile
	background string // dark or light; "" as long as nobody has said
	answered   bool   // by the terminal itself, which knows better than its environment
	chosen     bool   // the user has chosen the theme since
}

func (m *Model) autoTheme() bool { return m.Options.Theme == "auto" || m.Options.Theme == "" }

// learnColours takes in what the terminal or its environment tells of its colours.
func (m *Model) learnColours(msg tea.Msg) {
	c := &m.colours
	switch msg := msg.(type) {
	case tea.ColorProfileMsg:
		c.profile = msg.Profile
	case tea.EnvMsg:
		if !c.answered {
			c.background = backgroundOf(msg.Getenv("COLORFGBG"))
		}
	case tea.BackgroundColorMsg:
		c.answered, c.background = true, "dark"
		if !msg.IsDark() {
			c.background = "light"
		}
	}
	m.chooseTheme()
}

// backgroundOf reads COLORFGBG, the numbers of the colours of text and background, with
// others between them; "" if it says nothing.
func backgroundOf(variable string) string {
	switch variable[strings.LastIndexByte(variable, ';')+1:] {
	case "0", "1", "2", "3", "4", "5", "6", "8":
		return "dark"
	case "7", "15":
		return "light"
	}
	return ""
}

// chooseTheme takes the theme that was asked for, as far as the terminal can show it.
func (m *Model) chooseTheme() {
	c, name := &m.colours, m.Options.Theme
	switch {
	case c.chosen:
		return
	case name == "mono":
	case c.profile == colorprofile.NoTTY || c.profile == colorprofile.ASCII:
		name = "mono"
	case c.profile == colorprofile.ANSI:
		name = "terminal"
	case m.autoTheme():
		if name = c.background; name == "" {
			name = "terminal"
		}
	}
	if name != m.Theme.Name {
		m.Theme = draw.NewTheme(name)
	}
}

// nextTheme goes on to the next theme that the terminal can show.
func (m *Model) nextTheme() {
	names := []string{"terminal", "mono"}
	if m.colours.profile != colorprofile.ANSI {
		names = append(names, "dark", "light")
	}
	m.Theme = draw.NewTheme(names[(slices.Index(names, m.Theme.Name)+1)%len(names)])
	m.colours.chosen = true
	m.say("theme " + m.Theme.Name)
}
