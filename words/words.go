// Package words describes deliveries, forwards, tunnels and tasks for the screen, the
// lines and the pages, as segments of role and text. Durations, short ids and counts are
// here too.
//
// Text from outside is cut but not cleaned: that is up to the output.
package words

import (
	"fmt"
	"strings"

	"aspectop/clean"
	"aspectop/model"
)

// Segment is text with its role.
type Segment struct {
	Role model.Role
	Text string
}

// Segments are a sentence.
type Segments []Segment

// String is the text alone.
func (s Segments) String() string {
	var b strings.Builder
	for _, segment := range s {
		b.WriteString(segment.Text)
	}
	return b.String()
}

func (s *Segments) add(r model.Role, format string, a ...any) {
	*s = append(*s, Segment{r, fmt.Sprintf(format, a...)})
}

// Name is at most 64 characters of a text from outside.
func Name(s string) string { return clean.Cut(s, 64) }

// ID is an id for reading: the first eight characters of a UUID, else a Name.
func ID(id string) string {
	if len(id) == 36 {
		return id[:8]
	}
	return Name(id)
}

// OrNone is s, or (none) for an empty text.
func OrNone(s string) string { return model.State(s).Word() }

// Count is a number with its noun, Plural the noun alone.
func Count(n int, one, many string) string { return fmt.Sprint(n) + " " + Plural(n, one, many) }

func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
