//go:build unix

package e2e

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// answers are those of a terminal to the questions of a screen.
var answers = map[string]string{
	"\x1b[?2026$p": "\x1b[?2026;2$y", "\x1b[?2027$p": "\x1b[?2027;0$y",
	"\x1b]11;?": "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b[?u": "\x1b[?0u",
}

// farTerminal is a terminal whose answers take a while.
type farTerminal struct {
	t   *testing.T
	pty *os.File

	mu      sync.Mutex
	written strings.Builder
	sending sync.WaitGroup
}

func inFarTerminal(t *testing.T, delay time.Duration, cmd *exec.Cmd) *farTerminal {
	t.Helper()
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
	if err != nil {
		t.Fatal(err)
	}
	term := &farTerminal{t: t, pty: f}
	read := make(chan struct{})
	go func() {
		defer close(read)
		buf := make([]byte, 64<<10)
		for {
			n, err := f.Read(buf)
			for question, answer := range answers { // before what was written can be looked at
				for range strings.Count(string(buf[:n]), question) {
					term.sending.Add(1)
					time.AfterFunc(delay, func() {
						defer term.sending.Done()
						io.WriteString(f, answer)
					})
				}
			}
			term.mu.Lock()
			term.written.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		f.Close()
		<-read
	})
	return term
}

// after waits until the text was written, and returns what came behind it.
func (term *farTerminal) after(text string) string {
	term.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		term.mu.Lock()
		written := term.written.String()
		term.mu.Unlock()
		if _, behind, ok := strings.Cut(written, text); ok {
			return behind
		}
		if time.Now().After(end) {
			term.t.Fatalf("waited in vain for %q in %q", text, written)
		}
	}
}

// The end waits for answers for 300 ms. On a loaded machine they may come later, so it is
// tried some times; without waiting the shell would get them each time.
func TestLateAnswersAreNotTypedIntoTheShell(t *testing.T) {
	for name, c := range map[string]struct{ args, keys string }{
		"ended by itself": {"demo --duration 100ms", ""},
		"q":               {"demo", "q"},
		"ctrl+c":          {"demo", "\x03"},
		"a chosen theme":  {"demo --theme dark", "q"},
		"Russian ctrl+c":  {"demo", russianCtrlC},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var behind string
			for range 5 {
				cmd := program(t)
				cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `"$0" ` + c.args + `; echo "[ended]"; exec cat`, binary}
				term := inFarTerminal(t, 200*time.Millisecond, cmd)
				if term.after("\x1b[?1049h"); c.keys != "" {
					io.WriteString(term.pty, c.keys)
				}
				term.after("[ended]")
				term.sending.Wait()
				io.WriteString(term.pty, "typed\n")
				term.after("typed")
				behind = term.after("[ended]")
				if !strings.Contains(behind, "2026") && !strings.Contains(behind, "rgb") && !strings.Contains(behind, "0u") {
					return
				}
			}
			t.Errorf("the shell got %q", behind)
		})
	}
}

func TestASecondCtrlCDoesNotWaitForAnswers(t *testing.T) {
	const waits = 300 * time.Millisecond // what it would wait, each time
	var took time.Duration
	for range 10 { // a loaded machine may be as slow, but not always
		term := inFarTerminal(t, time.Hour, program(t, "demo"))
		term.after("\x1b[?u")
		start := time.Now()
		io.WriteString(term.pty, "\x03\x03")
		term.after("\x1b[?1049l")
		if took = time.Since(start); took < waits {
			return
		}
	}
	t.Errorf("the screen was left after %v", took)
}

func TestATerminalWithoutAnAlternateScreenIsLeftClean(t *testing.T) {
	t.Parallel()
	screen := inTerminal(t, 80, 24, program(t, "demo", "--duration", "2s"))
	screen.ends(0)
	plain := vt.NewEmulator(80, 24)
	defer plain.Close()
	go io.Copy(io.Discard, plain)
	plain.WriteString("$ aspectop demo\r\n" + strings.NewReplacer("\x1b[?1049h", "", "\x1b[?1049l", "").Replace(screen.written()))
	lines := strings.Split(plain.String(), "\n")
	if !strings.Contains(lines[0], " verified, ") || strings.Contains(plain.String(), "quit") {
		t.Errorf("the screen is left as\n%s", plain)
	}
}

func TestAnEditorGetsTheTerminal(t *testing.T) {
	editor := t.TempDir() + "/editor"
	if err := os.WriteFile(editor, []byte("#!/bin/sh\ntest -t 0 && test -t 1 && echo 'it is a terminal' && read answer && echo \"got $answer\" && read end\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	handler := "http://127.0.0.1:1/"
	screen := inTerminal(t, 80, 24, with(watching(t, "--forward-to", handler), "EDITOR="+editor, "VISUAL="))
	url := screen.find(`receiving on (http://\S+)`)
	keeps(t, url, delivery{id: "msg_1", body: tells(upload, "task.progress", time.Now(), feature("visual", "queued"))})
	screen.shows("2e1c7e42")
	screen.press("e")
	screen.shows("it is a terminal")
	screen.press("words\r")
	screen.shows("got words")
	screen.press("\r")
	screen.shows("unchanged")
	screen.press("q")
	screen.ends(0)
}
