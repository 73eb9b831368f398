package cli

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"aspectop/clean"
	"aspectop/cli/terminal"
	"aspectop/jsonl"
	"aspectop/printer"
)

// newLine begins a JSON line.
func newLine(kind string) *jsonl.Object {
	o := new(jsonl.Object)
	o.Begin('{')
	o.Text("type", kind)
	o.Time("time", time.Now())
	return o
}

// putValue writes a member as encoding/json does, null if it is not valid.
func putValue(o *jsonl.Object, key string, v any) {
	text, err := jsonl.Line(v)
	if err != nil {
		text = []byte("null")
	}
	o.Key(key)
	*o = append(*o, bytes.TrimSpace(text)...)
}

// printResult prints one result to stdout: as JSON, or as one or more lines of text.
func printResult(asJSON bool, o *jsonl.Object, text string) error {
	if !asJSON {
		return writeSentence(text)
	}
	o.End('}')
	return printer.WriteAll(os.Stdout, append(*o, '\n'))
}

// writeSentence writes one or more lines of text to stdout.
func writeSentence(text string) error {
	return printer.WriteAll(os.Stdout, []byte(clean.Lines(text)+"\n"))
}

// formatOf is the format of a command with --json.
func formatOf(asJSON bool) printer.Format {
	if asJSON {
		return printer.JSON
	}
	return printer.Plain
}

// list is the output of a command that lists things: a table, or JSON lines.
type list struct {
	terminal.Table
	lines []byte
}

func newList(head ...string) *list { return &list{Table: terminal.Table{Head: head}} }

// add adds an item as a JSON line and as the cells of a row.
func (l *list) add(o *jsonl.Object, cells ...string) {
	o.End('}')
	l.lines = append(append(l.lines, *o...), '\n')
	l.Add(cells...)
}

// show prints the list, or on stderr that there is none.
func (l *list) show(asJSON bool, none string) error {
	switch {
	case asJSON:
		return printer.WriteAll(os.Stdout, l.lines)
	case l.Empty():
		fmt.Fprintln(os.Stderr, "aspectop: "+none)
		return nil
	}
	return l.Write(os.Stdout, terminal.Width())
}
