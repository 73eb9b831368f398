// Package words says what happened to a delivery, a forward, a tunnel or a task, once
// for the screen, the lines and the pages: as segments of role and text. Durations,
// short ids and counts are here too.
//
// Text from outside is in them as it came, only cut; what shows it cleans it.
package words

import (
	"fmt"
	"strings"

	"aspectop/clean"
	"aspectop/model"
)

// Segment is a piece of text and what it means.
type Segment struct {
	Role model.Role
	Text string
}

// Segments are a sentence, or a part of one.
type Segments []Segment

// String is the text alone.
func (s Segments) String() string {
	var b strings.Builder
	for _, segment := range s {
		b.WriteString(segment.Text)
	}
	return b.String()
}

// add appends a part with what separates it from the one before.
func (s *Segments) add(r model.Role, format string, a ...any) {
	*s = append(*s, Segment{r, fmt.Sprintf(format, a...)})
}

// Name is a text that a stranger can make long, at most 64 characters of it.
func Name(s string) string { return clean.Cut(s, 64) }

// ID is an id for reading: the first eight characters of a UUID, which tell it apart
// well enough; of any other, at most 64.
func ID(id string) string {
	if len(id) == 36 {
		return id[:8]
	}
	return Name(id)
}

// OrNone is s, or (none) in place of an empty text.
func OrNone(s string) string { return model.State(s).Word() }

// Count is a number with its noun, Plural the noun alone.
func Count(n int, one, many string) string { return fmt.Sprint(n) + " " + Plural(n, one, many) }

func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
