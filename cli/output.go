package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"time"

	"aspectop/printer"
)

// head begins every JSON line. A line is a struct that embeds it.
type head struct {
	Type string  `json:"type"`
	Time instant `json:"time"` // of the line
}

func headOf(kind string) head { return head{kind, instant(time.Now())} }

// instant is a time in the format of docs/json.md; null for the zero time.
type instant time.Time

// MarshalJSON makes instant a json.Marshaler.
func (i instant) MarshalJSON() ([]byte, error) {
	t := time.Time(i)
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05.000000Z"`), nil
}

// orNull is null for the empty text.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// writeLines writes one JSON object per line to stdout.
func writeLines(lines ...any) error {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false) // unreadable in URLs
	for _, line := range lines {
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return printer.WriteAll(os.Stdout, printer.SafeJSON(buf.Bytes()))
}

// writeSentence writes one or more lines of text to stdout.
func writeSentence(text string) error {
	return printer.WriteAll(os.Stdout, []byte(printer.CleanLines(text)+"\n"))
}
