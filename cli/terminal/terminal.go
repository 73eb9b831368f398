// Package terminal knows what the terminal can do, and restores it.
package terminal

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// IsTerminal reports whether a screen can be drawn on stdout.
func IsTerminal() bool { return OnTerminal() && os.Getenv("TERM") != "dumb" }

// OnTerminal reports whether stdout is a terminal, be it a dumb one.
func OnTerminal() bool { return term.IsTerminal(os.Stdout.Fd()) }

// Keep saves the terminal's state. The returned function restores it: an editor
// that was killed together with the program may have changed it.
func Keep() (restore func()) {
	fd := os.Stdin.Fd()
	state, err := term.GetState(fd)
	if err != nil {
		return func() {} // no terminal
	}
	return func() { term.Restore(fd, state) }
}

// Width is the width of stdout in cells: 80 if it is not a terminal.
func Width() int {
	if w, _, err := term.GetSize(os.Stdout.Fd()); err == nil && w > 0 {
		return w
	}
	return 80
}
