package ui

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
	for _, theme := range []string{"dark", "light", "mono"} {
		t.Run(theme, func(t *testing.T) {
			onScreen(t, 80, 12, uploads(), func(s *terminal) {
				s.wait(30 * time.Second)
				s.frame()
				golden.RequireEqual(t, []byte(strings.ReplaceAll(s.m.View().Content, "\x1b", "␛")))
			}, func(o *options) { o.Theme = theme })
		})
	}
}
