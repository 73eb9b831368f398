//go:build unix

package terminal

import (
	"cmp"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/charmbracelet/x/term"
	"golang.org/x/sys/unix"
)

// guardName is the argv[0] under which this program is a guard.
const guardName = "aspectop-guard"

// leaveScreen ends the keyboard's modes, leaves the alternate screen, clears what a
// terminal without one shows below the cursor, shows that, and ends bracketed paste,
// mouse reports and styles.
const leaveScreen = "\x1b[<u\x1b[>4m\x1b[?1049l\r\x1b[J\x1b[?25h\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[m"

// StartGuard starts a small process that restores the terminal, and prints the
// crash report, if this process dies without doing so: by a panic in any
// goroutine, by SIGKILL or by the second signal. The returned function stops the
// guard once the screen has restored the terminal itself. If no guard can be
// started, there is none.
func StartGuard() (end func()) {
	self, err := os.Executable()
	crash, write, err1 := os.Pipe()
	ready, announce, err2 := os.Pipe()
	cmd := &exec.Cmd{
		Path: self, Args: []string{guardName}, Env: []string{},
		Stdin: crash, Stdout: os.Stdout, Stderr: os.Stderr, ExtraFiles: []*os.File{announce},
	}
	if err = cmp.Or(err, err1, err2); err == nil {
		err = cmd.Start()
	}
	crash.Close()
	announce.Close()
	if err != nil {
		ready.Close()
		write.Close()
		return func() {}
	}
	io.ReadAll(ready) // returns when the guard has saved the terminal's state
	ready.Close()
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

// CanSuspend reports whether a shell can resume this process after ctrl+z: its
// parent has to be in the same session and in another process group. In an
// orphaned group the kernel ignores the stop signal, and the screen would wait
// forever to be resumed.
func CanSuspend() bool {
	parent := os.Getppid()
	ours, err1 := unix.Getsid(0)
	theirs, err2 := unix.Getsid(parent)
	group, err3 := unix.Getpgid(parent)
	return err1 == nil && err2 == nil && err3 == nil && ours == theirs && group != unix.Getpgrp()
}
