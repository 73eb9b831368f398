package ui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
)

// editor stands in for the user's: it changes the file, and looks at how it was
// given to it.
type editor struct {
	change func(text string) string
	err    error
	file   string
	given  string
	mode   os.FileMode
	folder os.FileMode
}

// edits lets the screen start the editor.
func (s *terminal) edits(e *editor) {
	s.m.Editor = func(_ context.Context, path string) (*exec.Cmd, error) { return exec.Command("editor", path), nil }
	s.m.exec = func(cmd *exec.Cmd, done tea.ExecCallback) tea.Cmd {
		return func() tea.Msg {
			e.file = cmd.Args[1]
			if e.err != nil {
				return done(e.err)
			}
			b, err := os.ReadFile(e.file)
			if err != nil {
				return done(err)
			}
			e.given = string(b)
			if info, err := os.Stat(e.file); err == nil {
				e.mode = info.Mode().Perm()
			}
			if info, err := os.Stat(filepath.Dir(e.file)); err == nil {
				e.folder = info.Mode().Perm()
			}
			if e.change != nil {
				err = os.WriteFile(e.file, []byte(e.change(e.given)), 0o600)
			}
			return done(err)
		}
	}
}

// gone fails the test if the file is still there.
func (e *editor) gone(t *testing.T) {
	t.Helper()
	if e.file == "" {
		t.Error("the editor never ran")
	}
	if _, err := os.Stat(filepath.Dir(e.file)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", e.file, err)
	}
}

func failVisual(text string) string {
	return strings.Replace(text, `"state": "queued"`, `"state": "failed"`, 1)
}

func TestFramesOfTheDiff(t *testing.T) {
	for _, size := range sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			onScreen(t, size[0], size[1], uploads(), func(s *terminal) {
				s.edits(&editor{change: failVisual})
				s.wait(30 * time.Second)
				s.press("3", "e")
				s.wait(time.Second)
				s.matchesGolden()
				if size == sizes[0] {
					s.fitsEverySize()
				}
			}, withHandler(&handler{answer: taken()}))
		})
	}
}

func TestAnEditIsShownAndThenSentAsANewMessage(t *testing.T) {
	h, e := &handler{answer: taken()}, &editor{change: failVisual}
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.edits(e)
		s.wait(time.Second)
		s.press("3", "e")
		s.wait(time.Second)
		s.shows("enter sends, esc discards: #11 edited, to "+handlerURL, `-           "state": "queued"`, `+           "state": "failed"`)
		if len(h.got) > 0 {
			t.Fatal("it was sent before anybody said so")
		}
		e.gone(t)
		if e.mode != 0o600 || e.folder != 0o700 {
			t.Errorf("the file has mode %v in a folder of mode %v", e.mode, e.folder)
		}
		if !strings.Contains(e.given, "\n  \"data\": {\n") {
			t.Errorf("the editor got\n%s", e.given)
		}
		s.press("enter")
		s.wait(time.Second)
		s.shows("#11 edited → " + handlerURL + ": answered 204 in 12 ms; re-signed")
		s.hides("enter sends")
		want := strings.Replace(string(uploads()[10].Body), `"state":"queued"`, `"state":"failed"`, 1)
		if len(h.got) != 1 || !h.edited[0] || string(h.got[0].Body) != want {
			t.Errorf("the handler got %s", h.got[0].Body)
		}
	}, withHandler(h))
}

func TestAnEditThatIsDroppedSendsNothing(t *testing.T) {
	for _, key := range []string{"esc", "q", "1"} {
		h := &handler{answer: taken()}
		onScreen(t, 120, 40, uploads(), func(s *terminal) {
			s.edits(&editor{change: failVisual})
			s.wait(time.Second)
			s.press("3", "e")
			s.wait(time.Second)
			s.press("r", "e", "tab", "j", "/")
			s.write("state")
			s.press("enter", "n", "esc", "P", "w", "f", key)
			s.shows("the edit of #11 was discarded; nothing was sent")
			s.wait(time.Second)
			if len(h.got) > 0 || s.quit {
				t.Errorf("%s sent %d messages", key, len(h.got))
			}
		}, withHandler(h))
	}
}

func TestEditsThatComeToNothingSaySo(t *testing.T) {
	for name, c := range map[string]struct {
		editor editor
		says   string
	}{
		"unchanged":       {editor{}, "#11 is unchanged; nothing was sent"},
		"only blanks":     {editor{change: func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n\t") }}, "#11 is unchanged; nothing was sent"},
		"emptied":         {editor{change: func(string) string { return " \n" }}, "the edited file is empty; nothing was sent"},
		"editor failed":   {editor{err: errors.New("exit status 1")}, "the editor failed (exit status 1); nothing was sent"},
		"editor missing":  {editor{err: &exec.Error{Name: "vim", Err: exec.ErrNotFound}}, "the editor was not found (exec: \"vim\": executable file not found in $PATH): set EDITOR; nothing was sent"},
		"larger than any": {editor{change: func(string) string { return strings.Repeat("x", 16<<20+1) }}, "the edited file is larger than 16 MiB; nothing was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			h := &handler{answer: taken()}
			onScreen(t, 120, 40, uploads(), func(s *terminal) {
				s.edits(&c.editor)
				s.wait(time.Second)
				s.press("3", "e")
				s.wait(time.Second)
				s.shows(c.says)
				s.press("enter")
				s.wait(time.Second)
				if len(h.got) > 0 {
					t.Errorf("the handler got %s", h.got[0].Body)
				}
				c.editor.gone(t)
			}, withHandler(h))
		})
	}
}

func TestWithoutAnEditorEditSaysSo(t *testing.T) {
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.press("3", "e")
		s.wait(time.Second)
		s.shows("set VISUAL or EDITOR")
	}, withHandler(&handler{}), func(o *options) {
		o.Editor = func(context.Context, string) (*exec.Cmd, error) { return nil, errors.New("set VISUAL or EDITOR") }
	})
}

func TestAnEditThatIsNoJSONIsMarkedAndCanStillBeSent(t *testing.T) {
	h := &handler{answer: taken()}
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.edits(&editor{change: func(s string) string { return strings.TrimSuffix(s, "}\n") + "\n" }})
		s.wait(time.Second)
		s.press("3", "e")
		s.wait(time.Second)
		s.shows("! No longer valid JSON: unexpected end of JSON input", "- }")
		s.press("enter")
		s.wait(time.Second)
		if len(h.got) != 1 || strings.HasSuffix(string(h.got[0].Body), "}\n}") {
			t.Errorf("the handler got %s", h.got[0].Body)
		}
	}, withHandler(h))
}

func TestABodyThatIsNoJSONIsEditedAsItIs(t *testing.T) {
	d := event(1, "task.progress", 0, "proxy=queued")
	d.Body = []byte("plain\ntext")
	h, e := &handler{answer: taken()}, &editor{change: func(s string) string { return strings.Replace(s, "text", "words", 1) }}
	onScreen(t, 120, 40, []model.Delivery{d}, func(s *terminal) {
		s.edits(e)
		s.wait(time.Second)
		s.press("3", "e")
		s.wait(time.Second)
		s.shows("- text", "+ words")
		s.hides("no JSON any more")
		s.press("P")
		s.hides("words")
		s.press("enter")
		s.wait(time.Second)
		if len(h.got) != 1 || string(h.got[0].Body) != "plain\nwords" {
			t.Errorf("the handler got %q", h.got[0].Body)
		}
	}, withHandler(h))
}

func TestPresentationHidesWhatIsPrivateInADiff(t *testing.T) {
	private := "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111"
	onScreen(t, 120, 40, uploads(), func(s *terminal) {
		s.edits(&editor{change: func(text string) string {
			return strings.Replace(text, `"user_id": "`+private, `"user_id": "`+private+"0", 2)
		}})
		s.wait(time.Second)
		s.press("3", "e")
		s.wait(time.Second)
		s.shows(private)
		s.press("P")
		s.shows(`"user_id": "(hidden)"`)
		s.hides(private, "localhost:3000")
	}, withHandler(&handler{}))
}

func TestHostileTextInAnEditIsHarmless(t *testing.T) {
	for name, text := range hostileTexts {
		t.Run(name, func(t *testing.T) {
			onScreen(t, 60, 20, []model.Delivery{hostileTask(text)}, func(s *terminal) {
				s.edits(&editor{change: func(given string) string { return strings.Replace(given, "queued", text, 1) + text }})
				s.wait(time.Second)
				s.press("3", "e")
				s.wait(time.Second)
				s.press("G", "w", "P", "g", "w", "enter")
				s.wait(time.Second)
			}, withHandler(&handler{answer: model.Forward{Error: text, Hint: text}}))
		})
	}
}

func TestReceivingGoesOnWhileTheEditorRuns(t *testing.T) {
	onScreen(t, 120, 24, uploads(), func(s *terminal) {
		s.wait(time.Second)
		s.m.Editor = func(_ context.Context, path string) (*exec.Cmd, error) { return exec.Command("editor", path), nil }
		s.m.exec = func(_ *exec.Cmd, done tea.ExecCallback) tea.Cmd {
			return func() tea.Msg { // a long look at the file
				s.journal.Append(event(6, "task.progress", 40*time.Second, "proxy=queued"))
				time.Sleep(time.Minute)
				return done(nil)
			}
		}
		s.press("3", "e")
		s.wait(2 * time.Minute)
		s.shows("2e1c7e06")
	}, withHandler(&handler{}))
}
