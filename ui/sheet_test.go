package ui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/colorprofile"

	"aspectop/model"
	"aspectop/ui/picture"
)

var sheets = flag.String("sheets", "", "folder for a contact sheet a depth of colours; make frames")

// busyDay is a history that fills a screen: a burst of tasks long ago, then some that overlap
// and end in every way, and those under way: one late, one stalled, one that nothing was told of
// for most of the time.
func busyDay() (ds []model.Delivery) {
	s := time.Second
	life := func(n int, begin time.Duration, phases ...string) {
		created := midnight.Add(begin).Format(time.RFC3339Nano)
		for _, phase := range phases { // "12s task.progress proxy=queued"
			told := strings.Fields(phase)
			after, err := time.ParseDuration(told[0])
			if err != nil {
				panic(err)
			}
			d := event(n, told[1], begin+after, told[2:]...)
			d.Body = regexp.MustCompile(`"created":"[^"]*"`).ReplaceAll(d.Body, []byte(`"created":"`+created+`"`))
			ds = append(ds, d)
		}
	}
	usual := func(n int, begin time.Duration, pace float64, typ, end string) {
		at := func(seconds float64) string { return time.Duration(seconds * pace * float64(s)).String() }
		life(n, begin,
			"0s task.progress proxy=queued preview=queued visual=queued transcription=queued",
			at(6)+" task.progress proxy=processing preview=processing visual=queued transcription=queued",
			at(16)+" task.progress proxy=completed preview=completed visual=processing transcription=processing",
			at(48)+" "+typ+" proxy=completed preview=completed "+end)
	}
	const completed, failed = "visual=completed transcription=completed", "visual=failed transcription=completed"
	for i := range 6 {
		usual(1+i, -50*time.Minute+time.Duration(17*i)*s, 0.8+float64(i%3)/4, "task.completed", completed)
	}
	usual(7, -49*time.Minute, 1.4, "task.failed", failed)
	for i, end := range []string{completed, completed, failed, "visual=cancelled transcription=completed", completed, completed, failed, completed} {
		typ := "task.completed"
		switch {
		case end == failed:
			typ = "task.failed"
		case strings.Contains(end, "cancelled"):
			typ = "task.progress"
		}
		usual(8+i, -4*time.Minute+time.Duration(26*i)*s, 0.7+float64(i*5%4)/3, typ, end)
	}
	life(16, -150*s, "0s task.progress preview=queued visual=queued", "3s task.progress preview=processing visual=processing",
		"9s task.failed preview=completed visual=failed", "70s task.progress preview=completed visual=processing", "98s task.completed preview=completed visual=completed")
	life(17, -52*time.Minute, "51m50s task.progress proxy=queued preview=queued visual=queued transcription=na",
		"52m20s task.progress proxy=completed preview=processing visual=queued transcription=na scene_detect=processing")
	life(18, -200*s, "0s task.progress proxy=processing preview=processing visual=queued transcription=queued")
	life(19, -45*s, "0s task.progress proxy=queued preview=queued visual=queued transcription=queued",
		"4s task.progress proxy=processing preview=processing visual=queued transcription=queued",
		"12s task.progress proxy=completed preview=completed visual=processing transcription=processing",
		"80s task.progress proxy=completed preview=completed visual=processing transcription=completed")
	life(20, 10*s, "0s task.progress preview=queued visual=queued", "8s task.progress preview=processing visual=processing")
	life(21, 20*s, "0s task.progress proxy=queued preview=queued visual=queued transcription=queued",
		"12s task.progress proxy=processing preview=completed visual=queued transcription=queued embedding=warming")
	life(22, 34*s, "0s task.progress preview=na transcription=queued")
	slices.SortFunc(ds, func(a, b model.Delivery) int { return a.Received.Compare(b.Received) })
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
