package tty

import (
	"fmt"
	"regexp"
	"strconv"
	"unicode"
)

// alternates is a key with its alternates: code, shifted, base; modifiers, event.
var alternates = regexp.MustCompile(`^\x1b\[(\d+):(\d*):(\d+);(\d+)((?::\d+)?)u$`)

// withText adds the text to a shifted key that tells its base key, as Bubble Tea's decoder
// takes the base key for the shifted one and that for the text.
func withText(sequence []byte) []byte {
	if sequence[len(sequence)-1] != 'u' {
		return sequence
	}
	m := alternates.FindSubmatch(sequence)
	if m == nil {
		return sequence
	}
	const shift, caps, num = 1, 64, 128
	modifiers, _ := strconv.Atoi(string(m[4]))
	code, _ := strconv.Atoi(string(m[1]))
	text := unicode.ToUpper(rune(code))
	switch modifiers--; {
	case modifiers&^(shift|caps|num) != 0 || modifiers&(shift|caps) == 0 || !unicode.IsPrint(text):
		return sequence
	case modifiers&shift != 0 && len(m[2]) > 0:
		shifted, _ := strconv.Atoi(string(m[2]))
		text = rune(shifted)
	}
	return fmt.Appendf(nil, "%s;%du", sequence[:len(sequence)-1], text)
}
