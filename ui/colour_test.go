package ui

import (
	"image/color"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/exp/golden"
)

func TestASCIIFramesHoldNothingElse(t *testing.T) {
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.wait(soon)
		for _, keys := range []string{"1", "2", "3", "4", "5", "?", "?", "1", "enter", "tab", "tab", "tab"} {
			s.press(keys)
			for _, r := range s.frame() {
				if r >= utf8.RuneSelf {
					t.Errorf("after %s the ASCII frame holds %q", keys, r)
				}
			}
		}
	}, func(o *options) { o.ASCII = true })
}

// TestColoursOfEachTheme keeps one frame with its escape sequences for each
// theme; all other frames are kept as plain text, so that a new colour does not
// change them.
func TestColoursOfEachTheme(t *testing.T) {
	for _, theme := range []string{"dark", "light", "terminal", "mono"} {
		t.Run(theme, func(t *testing.T) {
			onScreen(t, 80, 12, uploads(), func(s *terminal) {
				s.wait(30 * time.Second)
				s.frame()
				golden.RequireEqual(t, []byte(strings.ReplaceAll(s.m.View().Content, "\x1b", "␛")))
			}, func(o *options) { o.Theme = theme })
		})
	}
}

// TestTheThemeIsWhatTheTerminalCanShow: what is asked for, what the terminal answers, what
// its environment says, in this order.
func TestTheThemeIsWhatTheTerminalCanShow(t *testing.T) {
	black, white := tea.BackgroundColorMsg{Color: color.Black}, tea.BackgroundColorMsg{Color: color.White}
	says := func(v string) tea.Msg { return tea.EnvMsg{"COLORFGBG=" + v} }
	for _, c := range []struct {
		name, asked string
		profile     colorprofile.Profile
		told        []tea.Msg
		theme       string
	}{
		{"nobody answers, as in tmux", "auto", colorprofile.ANSI256, []tea.Msg{says("")}, "terminal"},
		{"urxvt on white", "auto", colorprofile.ANSI256, []tea.Msg{says("0;default;15")}, "light"},
		{"konsole", "auto", colorprofile.TrueColor, []tea.Msg{says("15;0")}, "dark"},
		{"no numbers", "auto", colorprofile.TrueColor, []tea.Msg{says("default;default")}, "terminal"},
		{"an answer", "auto", colorprofile.TrueColor, []tea.Msg{black}, "dark"},
		{"an answer counts more", "auto", colorprofile.ANSI256, []tea.Msg{says("15;0"), white}, "light"},
		{"in either order", "auto", colorprofile.ANSI256, []tea.Msg{white, says("15;0")}, "light"},
		{"sixteen colours", "auto", colorprofile.ANSI, []tea.Msg{white}, "terminal"},
		{"sixteen colours, light", "light", colorprofile.ANSI, []tea.Msg{black}, "terminal"},
		{"asked for light", "light", colorprofile.ANSI256, []tea.Msg{black, says("15;0")}, "light"},
		{"asked for dark, nobody answers", "dark", colorprofile.ANSI256, nil, "dark"},
		{"mono", "mono", colorprofile.ANSI, []tea.Msg{black}, "mono"},
		{"no colours", "auto", colorprofile.ASCII, []tea.Msg{black}, "mono"},
	} {
		onScreen(t, 80, 24, uploads(), func(s *terminal) {
			s.send(tea.ColorProfileMsg{Profile: c.profile})
			for _, msg := range c.told {
				s.send(msg)
			}
			if got := s.m.ThemeName(); got != c.theme {
				t.Errorf("%s: the theme is %s, not %s", c.name, got, c.theme)
			}
			s.press("T")
			chosen := s.m.ThemeName()
			s.shows("theme " + chosen)
			if s.send(white); s.m.ThemeName() != chosen || chosen == c.theme {
				t.Errorf("%s: T chose %s, and the theme is %s", c.name, chosen, s.m.ThemeName())
			}
		}, func(o *options) { o.Theme = c.asked })
	}
}
