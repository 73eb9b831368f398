package cli

import (
	"strings"

	"aspectop/printer"
)

// cleanLines cleans a message of several lines.
func cleanLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printer.Clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
