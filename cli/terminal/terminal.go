// Package terminal knows what the terminal can do, and leaves it as it was.
package terminal

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// IsTerminal reports whether a screen can be drawn on stdout.
func IsTerminal() bool {
	return term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}

// Keep remembers how the terminal is set. The returned function sets it
// so again: an editor that was ended with the program may have left it otherwise.
func Keep() (restore func()) {
	fd := os.Stdin.Fd()
	state, err := term.GetState(fd)
	if err != nil {
		return func() {} // no terminal
	}
	return func() { term.Restore(fd, state) }
}

// Width is how wide stdout is: 80 cells unless it is a terminal.
func Width() int {
	if w, _, err := term.GetSize(os.Stdout.Fd()); err == nil && w > 0 {
		return w
	}
	return 80
}
