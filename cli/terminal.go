package cli

import (
	"os"

	"github.com/charmbracelet/x/term"
)

// isTerminal reports whether a screen can be drawn on stdout.
func isTerminal() bool {
	return term.IsTerminal(os.Stdout.Fd()) && os.Getenv("TERM") != "dumb"
}
