// Package terminal knows what the terminal can do, and restores it.
package terminal

import (
	"bytes"
	"io"
	"math"
	"os"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"

	"aspectop/clean"
	"aspectop/printer"
)

// Table is text in columns. Cells may contain anything: they are cleaned when the
// table is written.
type Table struct {
	Head []string
	rows [][]string
}

// Add adds a row with as many cells as the head.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Note adds a line about the last row, unless it is empty.
func (t *Table) Note(text string) {
	if text != "" {
		t.rows = append(t.rows, []string{text})
	}
}

const (
	columnGap = 2
	leastLast = 8 // minimum width of the last column
	noteGap   = "  "
)

// Write writes the table, without its empty columns. If it is wider than width,
// only the last column is truncated, so that ids can be copied.
func (t *Table) Write(out io.Writer, width int) error {
	widths := make([]int, len(t.Head))
	last, rest := 0, 0
	for i := range widths {
		for _, row := range t.rows {
			if isNote(row) {
				continue
			}
			row[i] = clean.Text(row[i])
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		if widths[i] > 0 {
			widths[i] = max(widths[i], ansi.StringWidth(t.Head[i]))
			rest += widths[i] + columnGap
			last = i
		}
	}
	rest -= widths[last] + columnGap
	widths[last] = min(widths[last], max(width-rest, leastLast))
	var buf bytes.Buffer
	for _, row := range append([][]string{t.Head}, t.rows...) {
		line := ""
		if isNote(row) {
			line, row = ansi.Truncate(noteGap+clean.Text(row[0]), width, "…"), nil
		}
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			cell = ansi.Truncate(cell, widths[i], "…")
			line += cell + strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+columnGap)
		}
		buf.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return printer.WriteAll(out, buf.Bytes())
}

// isNote relies on there being no table of one column.
func isNote(row []string) bool { return len(row) == 1 }

// Empty reports whether there is no row.
func (t *Table) Empty() bool { return len(t.rows) == 0 }

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

// Width is the width of stdout in cells. It has no limit if it is not a terminal.
func Width() int {
	if w, _, err := term.GetSize(os.Stdout.Fd()); err == nil && w > 0 {
		return w
	}
	return math.MaxInt
}
