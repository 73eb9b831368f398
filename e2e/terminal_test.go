//go:build unix

package e2e

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// patience is how long a test waits for something that should come at once,
// on a machine that is busy with other things.
const patience = time.Minute

// terminal is a program in a pseudo-terminal with a screen that can be read.
type terminal struct {
	t   *testing.T
	cmd *exec.Cmd
	pty *os.File

	mu  sync.Mutex // guards emu and raw
	emu *vt.Emulator
	raw strings.Builder // everything that was written

	drained chan struct{} // closed when the program has closed its terminal
	exited  chan int
}

// inTerminal starts the program on a terminal of w times h.
func inTerminal(t *testing.T, w, h int, cmd *exec.Cmd) *terminal {
	t.Helper()
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{
		t: t, cmd: cmd, pty: f, emu: vt.NewEmulator(w, h),
		drained: make(chan struct{}), exited: make(chan int, 1),
	}
	go func() { // what the program writes
		defer close(term.drained)
		buf := make([]byte, 64<<10)
		for {
			n, err := f.Read(buf)
			term.mu.Lock()
			term.raw.Write(buf[:n])
			term.emu.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { // what the terminal answers
		io.Copy(f, term.emu)
	}()
	go func() {
		err := cmd.Wait()
		term.exited <- exitCode(err)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		f.Close()
		<-term.drained
		term.emu.InputPipe().(io.Closer).Close() // ends the answers; emu.Close would race with its Read
	})
	return term
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// screen is what the terminal shows.
func (term *terminal) screen() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.emu.String()
}

// written is every byte that the program wrote.
func (term *terminal) written() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

// shows waits until all texts are on the screen.
func (term *terminal) shows(texts ...string) {
	term.t.Helper()
	term.until("the screen shows "+strings.Join(texts, " and "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// showsNot waits until the text is not on the screen.
func (term *terminal) showsNot(text string) {
	term.t.Helper()
	term.until("the screen does not show "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

// until waits until the screen is as it should be.
func (term *terminal) until(what string, is func(screen string) bool) {
	term.t.Helper()
	for end := time.Now().Add(patience); !is(term.screen()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			term.t.Fatalf("waited in vain until %s:\n%s", what, term.screen())
		}
	}
}

// find waits until the pattern is on the screen and returns its first group.
func (term *terminal) find(pattern string) (found string) {
	term.t.Helper()
	re := regexp.MustCompile(pattern)
	term.until("the screen shows "+pattern, func(screen string) bool {
		if m := re.FindStringSubmatch(screen); m != nil {
			found = m[1]
		}
		return found != ""
	})
	return found
}

// press types keys.
func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := io.WriteString(term.pty, keys); err != nil {
		term.t.Fatal(err)
	}
}

// resize changes the terminal's size.
func (term *terminal) resize(w, h int) {
	term.t.Helper()
	term.mu.Lock()
	term.emu.Resize(w, h)
	term.mu.Unlock()
	if err := pty.Setsize(term.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
		term.t.Fatal(err)
	}
}

// signal sends a signal to the program.
func (term *terminal) signal(s syscall.Signal) {
	term.t.Helper()
	if err := term.cmd.Process.Signal(s); err != nil {
		term.t.Fatal(err)
	}
}

// ends waits until the program has ended and checks that its exit code is one
// of those given, and that the terminal is as it was before.
func (term *terminal) ends(codes ...int) {
	term.t.Helper()
	select {
	case got := <-term.exited:
		if !slices.Contains(codes, got) {
			term.t.Errorf("the program ended with %d, not %v:\n%s", got, codes, term.screen())
		}
	case <-time.After(patience):
		term.t.Fatalf("the program does not end:\n%s", term.screen())
	}
	select {
	case <-term.drained: // its last words have been read
	case <-time.After(patience):
		term.t.Fatal("the program has ended, but its terminal is still open")
	}
	term.restored()
}

// restored checks that every mode that was switched on was switched off later.
func (term *terminal) restored() {
	term.t.Helper()
	raw := term.written()
	for _, mode := range []struct{ on, off, what string }{
		{"\x1b[?1049h", "\x1b[?1049l", "the alternate screen"},
		{"\x1b[?25l", "\x1b[?25h", "the hidden cursor"},
		{"\x1b[?2004h", "\x1b[?2004l", "bracketed paste"},
		{"\x1b[?1002h", "\x1b[?1002l", "mouse reports"},
	} {
		if on := strings.LastIndex(raw, mode.on); on >= 0 && strings.LastIndex(raw, mode.off) < on {
			term.t.Errorf("%s was left on", mode.what)
		}
	}
}
