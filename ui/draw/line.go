// Package draw has what a screen is drawn with, whatever it shows: themes, glyphs,
// lines of cells, tables, charts, windows on lists, and panes of text with search.
package draw

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/words"
)

// Line builds one line of a frame, exactly Width cells wide. Put cleans every text;
// there is no other way to the terminal.
type Line struct {
	b        []byte
	th       *Theme
	Width    int
	Free     int // cells not yet used
	Selected bool
	Cut      bool // something that was put did not fit
}

// NewRow begins a row of a list with the cursor.
func NewRow(th *Theme, width int, selected bool) *Line {
	l := NewLine(th, width)
	if l.Selected = selected; selected {
		l.Put(Accent, GlyphCursor)
	}
	return l.To(cursorWidth)
}

func NewLine(th *Theme, width int) *Line {
	return &Line{b: make([]byte, 0, width+64), th: th, Width: width, Free: width}
}

// Used is the column at which the next text starts.
func (l *Line) Used() int { return l.Width - l.Free }

// Put appends s, cut with an ellipsis if it does not fit.
func (l *Line) Put(r Role, s string) *Line { return l.write(r, s, l.Free) }

func (l *Line) PutAll(told words.Segments) *Line {
	for _, s := range told {
		l.Put(s.Role, s.Text)
	}
	return l
}

// Cell appends s in exactly w cells, cut or padded on the right.
func (l *Line) Cell(r Role, s string, w int) *Line {
	w = min(w, l.Free)
	before := l.Free
	l.write(r, s, w)
	return l.Space(w - (before - l.Free))
}

// Right appends s in exactly w cells, cut or padded on the left.
func (l *Line) Right(r Role, s string, w int) *Line {
	w = min(w, l.Free)
	s, n, _ := Fit(s, w)
	return l.Space(w-n).write(r, s, n)
}

// Tab appends a title, highlighted if it is the open one.
func (l *Line) Tab(title string, open bool) *Line {
	r := Dim
	if l.Selected = open; open {
		r = Strong
	}
	l.Put(r, title)
	l.Selected = false
	return l.Space(1)
}

// End puts a cleaned text at the end of the line, if it fits.
func (l *Line) End(r Role, s string) *Line {
	if n := Cells(s); l.Free > n {
		l.Space(l.Free-n).Put(r, s)
	}
	return l
}

// Fits reports whether s fits whole.
func (l *Line) Fits(s string) bool {
	_, _, cut := Fit(s, l.Free)
	return !cut
}

// Space appends n blanks.
func (l *Line) Space(n int) *Line {
	n = min(n, l.Free)
	if n <= 0 {
		return l
	}
	l.style(Plain)
	for range n {
		l.b = append(l.b, ' ')
	}
	l.Free -= n
	return l
}

// To pads up to the column.
func (l *Line) To(column int) *Line { return l.Space(column - l.Used()) }

// String ends the line: it is padded to its width and its styles are closed.
func (l *Line) String() string {
	l.Space(l.Free)
	l.b = append(l.b, "\x1b[m"...)
	return string(l.b)
}

func (l *Line) write(r Role, s string, w int) *Line {
	s, n, cut := Fit(s, min(w, l.Free))
	l.Cut = l.Cut || cut
	if n == 0 {
		return l
	}
	l.style(r)
	l.b = append(l.b, s...)
	l.Free -= n
	return l
}

func (l *Line) style(r Role) {
	if l.Selected {
		l.b = append(l.b, l.th.selected[r]...)
	} else {
		l.b = append(l.b, l.th.On[r]...)
	}
}

// Fit cleans s and cuts it to w cells. Its cost grows with w, not with the length of s.
func Fit(s string, w int) (fitted string, width int, cut bool) {
	if w <= 0 {
		return "", 0, s != ""
	}
	// With the marks that clean.Text leaves it, no character has more than 16 bytes.
	if limit := 16*w + 16; len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s, cut = s[:limit], true
	}
	s = clean.Text(s)
	if width = Cells(s); width > w {
		cut = true
	}
	if !cut {
		return s, width, false
	}
	if width == len(s) { // ASCII: a cell is a byte
		s = s[:min(len(s), w-1)] + GlyphEllipsis
		return s, min(width, w-1) + 1, true
	}
	if s = s[:chunk(s, w-1)]; Cells(s) > w-1 { // a wide character where there is one cell
		s = ""
	}
	s += GlyphEllipsis
	return s, Cells(s), true
}

// ascii reports whether each byte of a cleaned text is one cell.
func ascii[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Cells is the width of a cleaned text, as most terminals count it: character by character, also where
// several make one sign, as in Devanagari.
func Cells(s string) int {
	if ascii(s) {
		return len(s)
	}
	return ansi.StringWidthWc(s)
}

// Blank is an empty line.
func Blank(th *Theme, width int) string { return NewLine(th, width).String() }

// PadHeight cuts or fills a block to exactly h lines.
func PadHeight(th *Theme, lines []string, w, h int) []string {
	if len(lines) > h {
		return lines[:max(0, h)]
	}
	for len(lines) < h {
		lines = append(lines, Blank(th, w))
	}
	return lines
}

// Repeat is s as often as it fits into w cells, for glyphs of one cell.
func Repeat(s string, w int) string { return strings.Repeat(s, max(0, w)) }

// Clock is a time of day in the local zone; ClockWidth is its width.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.Local().Format(time.TimeOnly)
}

const ClockWidth = len("15:04:05")

// DayClock is a time of day or, of another day than that of now, the date and hour and minute.
// It is at most DayWidth wide.
func DayClock(t, now time.Time) string {
	if t.IsZero() || SameDay(t, now) {
		return Clock(t)
	}
	return t.Local().Format(dayClock)
}

const (
	dayClock = "01-02 15:04"
	DayWidth = len(dayClock)
)

// Day is a date without the year.
func Day(t time.Time) string { return t.Local().Format("01-02") }

// SameDay reports whether two moments are of one day in the local zone.
func SameDay(a, b time.Time) bool {
	return a.Local().Format(time.DateOnly) == b.Local().Format(time.DateOnly)
}

// Moment is a time of day, with the date unless it is today, and how long ago it was.
func Moment(t, now time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	told := Clock(t)
	if !SameDay(t, now) {
		told = t.Local().Format(time.DateTime)
	}
	if t.After(now.Add(time.Second)) {
		return told + ", in " + words.Ago(t.Sub(now)) // clocks differ
	}
	return told + ", " + words.Ago(now.Sub(t)) + " ago"
}

// Stamp is a moment to the millisecond, in the local zone.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}

// Short is an id as it is to be cut to w cells: of a UUID the first eight characters are enough.
func Short(id string, w int) string {
	if len(id) == 36 && w < 36 && ascii(id) {
		return id[:min(8, max(0, w))]
	}
	return id
}

// leastPart is the least length of a part of a secret, in bytes: frames break and cut text.
const leastPart = 6

// Redact replaces parts of a secret, printable ASCII, in a frame that is kept by
// asterisks, also across line breaks and styles.
func Redact(frame, secret string) string {
	if len(secret) < leastPart {
		return frame
	}
	var text []byte // of the frame, without styles
	var at []int    // where its bytes stand in the frame
	var state byte
	for pos := 0; pos < len(frame); {
		seq, width, n, next := ansi.DecodeSequence(frame[pos:], state, nil)
		if width > 0 || seq == "\n" {
			for i := range n {
				text, at = append(text, seq[i]), append(at, pos+i)
			}
		}
		pos, state = pos+n, next
	}
	redacted := []byte(frame)
	for i := 0; i+leastPart <= len(text); i++ {
		if strings.Contains(secret, string(text[i:i+leastPart])) {
			for _, pos := range at[i : i+leastPart] {
				redacted[pos] = '*'
			}
		}
	}
	return string(redacted)
}
