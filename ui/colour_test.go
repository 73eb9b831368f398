package ui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
)

// TestColoursOfEachTheme keeps one frame with its escape sequences for each
// theme; all other frames are kept as plain text, so that a new colour does not
// change them.
func TestColoursOfEachTheme(t *testing.T) {
	for _, theme := range []string{"dark", "light", "mono"} {
		t.Run(theme, func(t *testing.T) {
			onScreen(t, 80, 12, uploads(), func(s *screen) {
				s.wait(30 * time.Second)
				s.frame()
				golden.RequireEqual(t, []byte(strings.ReplaceAll(s.m.View().Content, "\x1b", "␛")))
			}, func(o *Options) { o.Theme = theme })
		})
	}
}
