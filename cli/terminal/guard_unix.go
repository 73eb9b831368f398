//go:build unix

package terminal

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/charmbracelet/x/term"
)

// guardName is the argv[0] under which this program is a guard.
const guardName = "aspectop-guard"

// leaveScreen leaves the alternate screen, shows the cursor, and ends bracketed
// paste, mouse reports and styles.
const leaveScreen = "\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[m"

// StartGuard starts a small process that outlives this one just long enough to
// bring the terminal back, and to print what a crash said, if this one dies
// without having tidied up: by a panic in any goroutine, by SIGKILL, or by the
// second signal. The returned function ends the guard, when the screen has
// tidied up itself. A guard that cannot be started is done without.
func StartGuard() (end func()) {
	self, err := os.Executable()
	if err != nil {
		return func() {}
	}
	crash, write, err := os.Pipe()
	if err != nil {
		return func() {}
	}
	defer crash.Close()
	ready, announce, err := os.Pipe()
	if err != nil {
		write.Close()
		return func() {}
	}
	defer ready.Close()
	cmd := exec.Command(self)
	cmd.Args = []string{guardName}
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = crash, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{announce}
	err = cmd.Start()
	announce.Close()
	if err != nil {
		write.Close()
		return func() {}
	}
	io.ReadAll(ready) // until it has seen the terminal as it is now
	debug.SetCrashOutput(write, debug.CrashOptions{})
	return func() {
		debug.SetCrashOutput(nil, debug.CrashOptions{})
		cmd.Process.Kill()
		cmd.Wait()
		write.Close()
	}
}

// Guard reports whether this process is a guard. If so, it has waited until the
// process that started it died, brought the terminal back and printed its last
// words.
func Guard() bool {
	if os.Args[0] != guardName {
		return false
	}
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTTOU)
	state, err := term.GetState(os.Stdout.Fd())
	announce := os.NewFile(3, "announce")
	announce.Close()
	if err != nil {
		return true
	}
	words, _ := io.ReadAll(os.Stdin) // ends when the other end is closed by death
	os.Stdout.WriteString(leaveScreen)
	term.Restore(os.Stdout.Fd(), state)
	os.Stderr.Write(words)
	return true
}
