package cli

import (
	"os"
	"time"

	"aspectop/clean"
	"aspectop/jsonl"
	"aspectop/printer"
)

// head begins every JSON line. A line is a struct that embeds it.
type head struct {
	Type string     `json:"type"`
	Time jsonl.Time `json:"time"` // of the line
}

func headOf(kind string) head { return head{kind, jsonl.Time(time.Now())} }

// orNull is null for the empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// writeLines writes one JSON object per line to stdout.
func writeLines(lines ...any) error {
	var out []byte
	for _, line := range lines {
		b, err := jsonl.Line(line)
		if err != nil {
			return err
		}
		out = append(out, b...)
	}
	return printer.WriteAll(os.Stdout, out)
}

// writeSentence writes one or more lines of text to stdout.
func writeSentence(text string) error {
	return printer.WriteAll(os.Stdout, []byte(clean.Lines(text)+"\n"))
}
