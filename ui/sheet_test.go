package ui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"aspectop/model"
	"aspectop/ui/picture"
)

var sheets = flag.String("sheets", "", "folder for a contact sheet a depth of colours; make frames")

// busyDay is a history that fills a screen: what uploads has, and twenty tasks more.
func busyDay() []model.Delivery {
	ds := uploads()
	for n := 6; n < 26; n++ {
		at := time.Duration(n-6) * 700 * time.Millisecond
		ds = append(ds, event(n, "task.progress", at, "proxy=queued", "preview=queued", "visual=queued", "transcription=na"))
		ds = append(ds, event(n, "task.progress", at+time.Second, "proxy=processing", "preview=processing", "visual=queued", "transcription=na"))
		switch at += time.Duration(3+n%7) * time.Second; n % 5 {
		case 0:
			ds = append(ds, event(n, "task.failed", at, "proxy=completed", "preview=failed", "visual=cancelled", "transcription=na"))
		case 1, 2, 3:
			ds = append(ds, event(n, "task.completed", at, "proxy=completed", "preview=completed", "visual=completed", "transcription=na"))
		default:
			ds = append(ds, event(n, "task.progress", at, "proxy=completed", "preview=processing", "visual=processing", "transcription=na"))
		}
	}
	return ds
}

// TestContactSheets writes, for each depth of colours, all views at four sizes on one sheet,
// as the terminal is told to draw them.
func TestContactSheets(t *testing.T) {
	if *sheets == "" {
		t.Skip("make frames draws them")
	}
	if err := os.MkdirAll(*sheets, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, depth := range []struct {
		name, theme string
		profile     colorprofile.Profile
	}{
		{"16", "terminal", colorprofile.ANSI}, {"256", "dark", colorprofile.ANSI256}, {"256-light", "light", colorprofile.ANSI256},
		{"truecolor", "dark", colorprofile.TrueColor}, {"truecolor-light", "light", colorprofile.TrueColor}, {"mono", "mono", colorprofile.ASCII},
	} {
		var sheet strings.Builder
		width, top := 0.0, 0.0
		for _, size := range [][2]int{{40, 10}, {80, 24}, {120, 32}, {200, 50}} {
			left, height := 0.0, 0.0
			for _, keys := range []string{"1", "2", "3", "4", "5", "6", "1 n enter", "?"} {
				onScreen(t, size[0], size[1], busyDay(), func(s *terminal) {
					s.status.Add(model.Status{At: midnight.Add(25 * time.Second), Rejected: &model.Rejected{
						ID: "msg_forged", Verdict: model.Verdict{Reason: model.NoMatch, Detail: "no secret matches (body altered, or another endpoint's secret)"},
					}})
					s.wait(40 * time.Second)
					s.press(strings.Fields(keys)...)
					s.wait(5 * time.Second)
					s.frame()
					var b strings.Builder
					w := colorprofile.Writer{Forward: &b, Profile: depth.profile}
					if _, err := w.WriteString(s.m.View().Content); err != nil {
						t.Fatal(err)
					}
					svg := picture.SVG(b.String(), size[0], size[1], depth.theme)
					var pw, ph float64
					if _, err := fmt.Sscanf(regexp.MustCompile(`width="\d+" height="\d+"`).FindString(svg), `width="%f" height="%f"`, &pw, &ph); err != nil {
						t.Fatal(err)
					}
					sheet.WriteString(strings.Replace(svg, "<svg ", fmt.Sprintf(`<svg x="%.0f" y="%.0f" `, left, top), 1))
					left, height = left+pw+10, ph+10
				}, func(o *options) { o.Theme, o.API = depth.theme, aspectSent() })
			}
			width, top = max(width, left), top+height
		}
		svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f">%s</svg>`, width, top, &sheet)
		if err := os.WriteFile(filepath.Join(*sheets, depth.name+".svg"), []byte(svg), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
