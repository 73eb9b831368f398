package cli

import (
	"bytes"
	"fmt"
	"strings"
)

// roff writes a manual page with the macros of man(7).
type roff struct{ bytes.Buffer }

// escapeRoff makes text literal: no escape sequences, and hyphens that can be
// copied into a shell.
var escapeRoff = strings.NewReplacer(`\`, `\e`, `-`, `\-`)

// line is text on a line of its own, never a request.
func (r *roff) line(text string) {
	text = escapeRoff.Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	r.WriteString(text + "\n")
}

// macro writes a request with its arguments.
func (r *roff) macro(name string, args ...string) {
	r.WriteString("." + name)
	for _, a := range args {
		fmt.Fprintf(r, ` "%s"`, strings.ReplaceAll(escapeRoff.Replace(a), `"`, `\(dq`))
	}
	r.WriteByte('\n')
}

// text writes paragraphs, separated by empty lines. Indented ones are verbatim.
func (r *roff) text(text string) {
	for paragraph := range strings.SplitSeq(strings.Trim(text, "\n"), "\n\n") {
		r.macro("PP")
		if strings.HasPrefix(paragraph, "  ") {
			r.verbatim(paragraph)
			continue
		}
		for line := range strings.SplitSeq(paragraph, "\n") {
			r.line(line)
		}
	}
}

// verbatim writes lines that are neither filled nor justified.
func (r *roff) verbatim(text string) {
	r.macro("RS", "2n")
	r.macro("nf")
	for line := range strings.SplitSeq(text, "\n") {
		r.line(strings.TrimPrefix(line, "  "))
	}
	r.macro("fi")
	r.macro("RE")
}

// term writes a bold name, an optional argument, and below it the meaning.
func (r *roff) term(name, argument, meaning string) {
	r.macro("TP")
	if argument == "" {
		r.macro("B", name)
	} else {
		r.macro("BI", name+" ", argument)
	}
	r.line(meaning)
}
