package cast

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"aspectop/ui/picture"
)

// frame is what a screen shows: lines with SGR sequences, exactly as high and at
// most as wide as the screen.
type frame struct {
	text  string
	w, h  int
	theme string
}

// palette is the usual sixteen colours, which a player has to be told. The screen
// uses none of them.
const palette = "#000000:#cd0000:#00cd00:#cdcd00:#0000ee:#cd00cd:#00cdcd:#e5e5e5:#7f7f7f:#ff0000:#00ff00:#ffff00:#5c5cff:#ff00ff:#00ffff:#ffffff"

type theme struct {
	Fore    string `json:"fg"`
	Back    string `json:"bg"`
	Palette string `json:"palette"`
}

type header3 struct {
	Version   int    `json:"version"`
	Term      term   `json:"term"`
	Timestamp int64  `json:"timestamp"`
	Command   string `json:"command,omitempty"`
	Title     string `json:"title"`
}

type term struct {
	Cols  int    `json:"cols"`
	Rows  int    `json:"rows"`
	Type  string `json:"type"`
	Theme theme  `json:"theme"`
}

type header2 struct {
	Version   int               `json:"version"`
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Timestamp int64             `json:"timestamp"`
	Command   string            `json:"command,omitempty"`
	Title     string            `json:"title"`
	Env       map[string]string `json:"env"`
	Theme     theme             `json:"theme"`
}

const (
	title    = "aspectop"
	termType = "xterm-256color"
)

// begin writes the header.
func (r *Recorder) begin(f *frame) error {
	colours := theme{Palette: palette}
	colours.Fore, colours.Back = picture.Palette(f.theme)
	var header any = header3{3, term{f.w, f.h, termType, colours}, r.started.Unix(), r.Command, title}
	if r.Version == 2 {
		header = header2{2, f.w, f.h, r.started.Unix(), r.Command, title, map[string]string{"TERM": termType}, colours}
	}
	return r.append(encode(header))
}

// write writes what a frame changes on the screen.
func (r *Recorder) write(f *frame) error {
	if f == nil || f.w <= 0 || f.h <= 0 || r.shown != nil && *f == *r.shown {
		return nil
	}
	switch {
	case r.shown == nil:
		if err := r.begin(f); err != nil {
			return err
		}
	case r.shown.w != f.w || r.shown.h != f.h:
		if err := r.event("r", fmt.Sprintf("%dx%d", f.w, f.h)); err != nil {
			return err
		}
	}
	if err := r.event("o", changes(r.shown, f)); err != nil {
		return err
	}
	r.shown = f
	return nil
}

// changes are what a terminal that shows one frame is to be told to show
// another.
func changes(from, to *frame) string {
	var b strings.Builder
	var before []string
	if from == nil || from.w != to.w || from.h != to.h {
		b.WriteString("\x1b[?25l\x1b[m\x1b[2J") // no cursor, nothing else
	} else {
		before = strings.Split(from.text, "\n")
	}
	for y, line := range strings.Split(to.text, "\n") {
		if y < len(before) && before[y] == line {
			continue
		}
		// Erasing goes first: behind a line as wide as the screen it would take
		// the last character.
		fmt.Fprintf(&b, "\x1b[%d;1H\x1b[m\x1b[2K%s\x1b[m", y+1, line)
	}
	return b.String()
}

// event writes an event that happened now. Times are in milliseconds, and the
// errors of rounding do not add up.
func (r *Recorder) event(code, data string) error {
	now := max(r.total, time.Since(r.started).Round(time.Millisecond))
	at := now - r.total // since the event before
	if r.Version == 2 {
		at = now
	}
	seconds := json.RawMessage(fmt.Sprintf("%d.%03d", at/time.Second, at%time.Second/time.Millisecond))
	if err := r.append(encode([]any{seconds, code, data})); err != nil {
		return err
	}
	r.total = now
	return nil
}

// end writes what was shown last, and that it ended.
func (r *Recorder) end() error {
	if err := r.write(r.take()); err != nil {
		return err
	}
	if r.shown == nil || r.Version == 2 { // which has no word for it
		return nil
	}
	return r.event("x", "0")
}

// encode is a value as one line of JSON.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings and numbers
	}
	return b.Bytes()
}
