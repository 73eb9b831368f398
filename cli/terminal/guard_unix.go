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

// StartGuard starts a small process that restores the terminal, and prints the
// crash report, if this process dies without doing so: by a panic in any
// goroutine, by SIGKILL or by the second signal. The returned function stops the
// guard once the screen has restored the terminal itself. If no guard can be
// started, there is none.
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
	io.ReadAll(ready) // returns when the guard has saved the terminal's state
	debug.SetCrashOutput(write, debug.CrashOptions{})
	return func() {
		debug.SetCrashOutput(nil, debug.CrashOptions{})
		cmd.Process.Kill()
		cmd.Wait()
		write.Close()
	}
}

// Guard reports whether this process is a guard. If it is, Guard returns only
// after the process that started it has died and the terminal is restored.
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
	words, _ := io.ReadAll(os.Stdin) // ends when the other process dies
	os.Stdout.WriteString(leaveScreen)
	term.Restore(os.Stdout.Fd(), state)
	os.Stderr.Write(words)
	return true
}
