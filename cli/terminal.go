package cli

import (
	"os"
	"sync/atomic"

	"github.com/charmbracelet/x/term"
)

// isTerminal reports whether a screen can be drawn on stdout.
func isTerminal() bool {
	return term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}

// restore brings the terminal back into the state in which we found it; nil
// while no screen is shown.
var restore atomic.Pointer[func()]

// restoreTerminal is for ways out on which the screen cannot tidy up itself.
func restoreTerminal() {
	if f := restore.Load(); f != nil {
		(*f)()
	}
}

// rememberTerminal notes the terminal's state before a screen is shown. What it
// returns forgets it again.
func rememberTerminal() (forget func()) {
	state, err := term.GetState(os.Stdin.Fd())
	if err != nil {
		return func() {}
	}
	f := func() {
		// Leave the alternate screen, show the cursor, end bracketed paste and
		// mouse reports, then leave raw mode.
		os.Stdout.WriteString("\x1b[?1049l\x1b[?25h\x1b[?2004l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[m")
		term.Restore(os.Stdin.Fd(), state)
	}
	restore.Store(&f)
	return func() { restore.Store(nil) }
}
