package ui

import (
	"strings"
	"testing"
)

func TestNoKeyIsBoundTwiceInOnePlace(t *testing.T) {
	seen := map[place]map[string]string{}
	for _, b := range bindings {
		for _, k := range b.keys {
			if seen[b.place] == nil {
				seen[b.place] = map[string]string{}
			}
			if other, twice := seen[b.place][k]; twice {
				t.Errorf("%s is both %q and %q", k, other, b.help)
			}
			seen[b.place][k] = b.help
		}
	}
}

func TestEveryBindingIsInTheHelp(t *testing.T) {
	onScreen(t, 100, 90, nil, func(s *screen) {
		s.press("?")
		frame := s.frame()
		for _, b := range bindings {
			if b.help == "" || !strings.Contains(frame, b.help) || !strings.Contains(frame, keyName(b.keys[0])) {
				t.Errorf("the help does not tell what %s does (%q)", b.keys[0], b.help)
			}
		}
	})
}

func TestEveryBindingDoesSomethingSomewhereWithoutHarm(t *testing.T) {
	for _, b := range bindings {
		for _, k := range b.keys {
			if b.do == actQuit || b.do == actInterrupt {
				continue
			}
			onScreen(t, 100, 30, uploads(), func(s *screen) {
				s.wait(idleTime)
				for _, view := range []string{"1", "2", "3", "4", "5"} {
					s.press(view, k, "esc", "esc", view, "enter", k, "esc", "esc")
				}
				if s.quit {
					t.Errorf("%s quits", k)
				}
			})
		}
	}
}

func TestQuitOnlyAtTheTopAndInterruptEverywhere(t *testing.T) {
	onScreen(t, 80, 24, uploads(), func(s *screen) {
		s.wait(idleTime)
		s.press("enter", "q")
		if s.quit {
			t.Error("q in a task ends the program")
		}
		s.press("?", "q")
		if s.quit {
			t.Error("q in the help ends the program")
		}
		s.press("q")
		if !s.quit {
			t.Error("q at the top does not end the program")
		}
	})
	for _, keys := range [][]string{{}, {"enter"}, {"?"}, {"/"}, {"enter", "tab", "tab", "/"}} {
		onScreen(t, 80, 24, uploads(), func(s *screen) {
			s.wait(idleTime)
			s.press(append(keys, "ctrl+c")...)
			if !s.quit {
				t.Errorf("ctrl+c after %v does not end the program", keys)
			}
		})
	}
}
