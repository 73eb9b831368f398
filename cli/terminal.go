package cli

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// isTerminal reports whether a screen can be drawn on stdout.
func isTerminal() bool {
	return term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}

// keepTerminal remembers how the terminal is set. The returned function sets it
// so again: an editor that was ended with the program may have left it otherwise.
func keepTerminal() (restore func()) {
	fd := os.Stdin.Fd()
	state, err := term.GetState(fd)
	if err != nil {
		return func() {} // no terminal
	}
	return func() { term.Restore(fd, state) }
}
