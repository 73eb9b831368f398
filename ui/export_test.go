package ui

import (
	"strings"
	"testing"

	"aspectop/model"
)

// files are what the screen wrote.
type files struct {
	of, svg string
	private bool
	tasks   []string
}

func (f *files) options(o *options) {
	o.Export = func(task string, _ []model.Delivery, private bool) (string, error) {
		f.tasks, f.private = append(f.tasks, task), private
		return "report.html", nil
	}
	o.Picture = func(of, svg string) (string, error) {
		f.of, f.svg = of, svg
		return "picture.svg", nil
	}
}

func TestAPictureIsOfWhatIsShown(t *testing.T) {
	const user = "3f5d7e38"
	var f files
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(soon)
		for _, c := range []struct {
			keys string
			of   string
		}{{"1", "tasks"}, {"2", "board"}, {"5", "stats"}, {"?", "help"}, {"esc 1 enter", "task"}} {
			s.press(strings.Fields(c.keys)...)
			s.press("S")
			s.wait(soon)
			s.shows("wrote a picture to picture.svg")
			if f.of != c.of || !strings.Contains(f.svg, "aspectop</tspan>") {
				t.Errorf("after %s the picture is of %s:\n%.2000s", c.keys, f.of, f.svg)
			}
		}
		if !strings.Contains(f.svg, user) {
			t.Error("the open task's picture has no user, so the test tests nothing")
		}
		s.press("P", "S")
		s.wait(soon)
		if strings.Contains(f.svg, user) {
			t.Error("the picture shows what is hidden on the screen")
		}
	}, f.options)
}

func TestAReportWrittenWhilePresentingIsPrivate(t *testing.T) {
	var f files
	onScreen(t, 120, 30, uploads(), func(s *terminal) {
		s.wait(soon)
		s.press("x")
		s.wait(soon)
		s.shows("to report.html")
		if len(f.tasks) != 1 || f.private {
			t.Errorf("the reports are about %v, private: %v", f.tasks, f.private)
		}
		s.press("P", "x")
		s.wait(soon)
		if len(f.tasks) != 2 || !f.private {
			t.Errorf("the reports are about %v, private: %v", f.tasks, f.private)
		}
	}, f.options)
}
