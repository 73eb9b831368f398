package terminal

import (
	"bytes"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/printer"
)

// Table is text in columns, for people. Its cells may hold anything: they are
// cleaned when it is written.
type Table struct {
	Head []string
	rows [][]string
}

// Add adds a row of as many cells as the head has.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

const (
	columnGap = 2
	// leastLast is how narrow the last column becomes before others give way.
	leastLast = 8
)

// Write writes the table, at most width cells wide. A column in which no row has
// anything is left out. Where the rest does not fit the last column gives way
// first, for ids are to be copied, and then the widest.
func (t *Table) Write(out io.Writer, width int) error {
	lines := make([][]string, 0, len(t.rows)+1)
	for _, row := range append([][]string{t.Head}, t.rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = printer.Clean(cell)
		}
		lines = append(lines, cells)
	}
	widths := make([]int, len(t.Head))
	for i := range widths {
		for _, cells := range lines[1:] {
			widths[i] = max(widths[i], min(ansi.StringWidth(cells[i]), width))
		}
		if widths[i] > 0 {
			widths[i] = max(widths[i], ansi.StringWidth(t.Head[i]))
		}
	}
	fit(widths, width)
	var buf bytes.Buffer
	for _, cells := range lines {
		line := ""
		for i, cell := range cells {
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

// fit narrows columns until they and the gaps between them are as wide as all at
// most. Columns of no width stay so.
func fit(widths []int, all int) {
	total, last := -columnGap, -1
	for i, w := range widths {
		if w > 0 {
			total += w + columnGap
			last = i
		}
	}
	if over := total - all; over > 0 && widths[last] > leastLast {
		give := min(over, widths[last]-leastLast)
		widths[last] -= give
		total -= give
	}
	for total > all {
		widest := 0
		for i, w := range widths {
			if w >= widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 1 {
			return
		}
		widths[widest]--
		total--
	}
}

// Empty reports whether there is no row.
func (t *Table) Empty() bool { return len(t.rows) == 0 }
