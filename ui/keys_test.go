package ui

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
	"aspectop/ui/keys"
)

func TestEveryBindingIsInTheHelp(t *testing.T) {
	onScreen(t, 100, 90, nil, func(s *terminal) {
		s.press("?")
		frame := s.frame()
		for _, b := range Bindings() {
			if b.Help == "" || !strings.Contains(frame, b.Help) || !strings.Contains(frame, keys.Name(b.Keys[0])) {
				t.Errorf("the help does not tell what %s does (%q)", b.Keys[0], b.Help)
			}
		}
	})
}

func TestEachViewOpensByItsKeyAndItsTab(t *testing.T) {
	onScreen(t, 100, 24, uploads(), func(s *terminal) {
		s.press("m")
		tabs, at := ansi.Strip(s.m.drawTabs()), 0
		for i := range views {
			title := tabTitle(i, false)
			at += strings.Index(tabs[at:], title)
			s.press(strconv.Itoa((i+1)%len(views) + 1)) // another one
			s.press(strconv.Itoa(i + 1))
			if s.m.view != i {
				t.Errorf("%d opens view %d", i+1, s.m.view)
			}
			for _, x := range []int{at, at + len(title) - 1} {
				s.press(strconv.Itoa((i+1)%len(views) + 1))
				s.send(tea.MouseClickMsg{X: x, Y: 2, Button: tea.MouseLeft})
				if s.m.view != i {
					t.Errorf("a click on %q opens view %d", title, s.m.view)
				}
			}
		}
	})
}

func TestEveryBindingDoesSomethingSomewhereWithoutHarm(t *testing.T) {
	for _, b := range Bindings() {
		for _, k := range b.Keys {
			if b.Do == keys.Quit || b.Do == keys.Interrupt {
				continue
			}
			onScreen(t, 100, 30, uploads(), func(s *terminal) {
				s.wait(soon)
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
	onScreen(t, 80, 24, uploads(), func(s *terminal) {
		s.wait(soon)
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
		onScreen(t, 80, 24, uploads(), func(s *terminal) {
			s.wait(soon)
			s.press(append(keys, "ctrl+c")...)
			if !s.quit {
				t.Errorf("ctrl+c after %v does not end the program", keys)
			}
		})
	}
}

func TestARemoteScreenActsOnNothing(t *testing.T) {
	harm := func(o *options) {
		o.Remote, o.Private = true, true
		o.ResendTo = "http://127.0.0.1:3000/hook"
		o.Resend = func(context.Context, model.Delivery, []byte) ([]string, model.Forward, error) {
			t.Error("a remote screen replayed")
			return nil, model.Forward{}, nil
		}
		o.Editor = func(context.Context, string) (*exec.Cmd, error) {
			t.Error("a remote screen started an editor")
			return nil, errors.New("no editor")
		}
		o.Export = func(string, []model.Delivery, bool) (string, error) {
			t.Error("a remote screen wrote a file")
			return "", nil
		}
		o.Picture = func(string, string) (string, error) {
			t.Error("a remote screen saved a picture")
			return "", nil
		}
	}
	onScreen(t, 200, 90, uploads(), func(s *terminal) {
		s.wait(soon)
		for _, view := range []string{"1", "2", "3", "4", "5"} {
			for _, b := range Bindings() {
				if b.Do == keys.Quit || b.Do == keys.Interrupt {
					continue
				}
				s.press(view, "enter", b.Keys[0], "esc", "esc", "esc", view, b.Keys[0])
				s.hides("3f5d7e38", "127.0.0.1:8787")
				s.press("esc", "esc")
			}
		}
		for _, msg := range s.printed {
			if text := fmt.Sprint(msg); strings.Contains(text, "3f5d7e38") || strings.Contains(text, "://") {
				t.Errorf("a private screen hands out %s", text)
			}
		}
		s.press("?")
		s.hides("replay", "edit the message", "a report", "a picture", "suspend", "presentation", "curl")
	}, harm)
}
