package draw

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/ui/keys"
)

// TextPane is a window on a text. It scrolls, wraps and searches.
type TextPane struct {
	doc  *Document
	top  int // first row on screen
	Wrap bool
	h    int
	rows []docRow // where rows begin
	made struct { // what rows were made for
		doc *Document
		w   int
	}
	search search

	painted      int // the line to which stretches belong
	stretches    []Stretch
	stretchesFor *Document
}

// Searching reports whether a word to search for is being typed.
func (p *TextPane) Searching() bool { return p.search.open }

// Searched reports whether the pane has a line for its search.
func (p *TextPane) Searched() bool { return p.search.height() > 0 }

func NewTextPane() TextPane { return TextPane{doc: &Document{}, Wrap: true} }

// Show shows a text from its beginning or, if it is another version of the one that is
// shown, from the same place.
func (p *TextPane) Show(t *Document, same bool) {
	if !same {
		p.top = 0
	}
	if p.doc != t {
		p.doc = t
		p.search.refresh(t)
	}
}

func (p *TextPane) row(i int) (line, from, to int) {
	r := p.rows[i]
	to = p.doc.end(int(r.line))
	if i+1 < len(p.rows) && p.rows[i+1].line == r.line {
		to = int(p.rows[i+1].from)
	}
	return int(r.line), int(r.from), to
}

// rowAt is the row that holds a byte of the text.
func (p *TextPane) rowAt(offset int) int {
	i, found := slices.BinarySearchFunc(p.rows, offset, func(r docRow, at int) int { return int(r.from) - at })
	if found {
		return i
	}
	return max(0, i-1)
}

// Arrange divides the text into rows if needed, and keeps the top row in place.
func (p *TextPane) Arrange(w, h int) {
	p.h = max(1, h-p.search.height())
	if !p.Wrap {
		w = math.MaxInt32 // a row for each line
	}
	if p.made.doc != p.doc || p.made.w != w {
		at, same := 0, p.made.doc == p.doc
		if same && len(p.rows) > 0 {
			_, at, _ = p.row(min(p.top, len(p.rows)-1))
		}
		p.rows, p.made.doc, p.made.w = p.doc.wrap(w), p.doc, w
		if same {
			p.top = p.rowAt(at)
		}
	}
	p.top = max(0, min(p.top, len(p.rows)-p.h))
}

// Do carries out an action and reports whether it applied. Messages go to say.
func (p *TextPane) Do(a keys.Action, say func(string)) (tea.Cmd, bool) {
	switch a {
	case keys.Filter:
		return p.search.start(p.top), true
	case keys.NextMatch:
		p.step(1, say)
		return nil, true
	case keys.PrevMatch:
		p.step(-1, say)
		return nil, true
	case keys.Back:
		return nil, p.search.end()
	}
	return nil, Scroll(&p.top, a, len(p.rows), p.h)
}

// Draw returns h lines of w cells.
func (p *TextPane) Draw(th *Theme, w, h int) []string {
	rows := h - p.search.height()
	lines := make([]string, 0, h)
	for i := p.top; i < len(p.rows) && len(lines) < rows; i++ {
		lines = append(lines, p.drawRow(th, i, w))
	}
	lines = PadHeight(th, lines, w, rows)
	if rows < h {
		lines = append(lines, p.search.draw(th, w))
	}
	return lines
}

func (p *TextPane) drawRow(th *Theme, i, w int) string {
	line, from, to := p.row(i)
	l := NewLine(th, w).Space(indent(p.doc.lines[line].depth, w))
	cut := false
	if !p.Wrap {
		if n := chunk(p.doc.b[from:to], l.Free); from+n < to {
			to, cut = from+chunk(p.doc.b[from:to], max(1, l.Free-1)), true
		}
	}
	if to > from && to < p.doc.end(line) && p.doc.b[to-1] == ' ' {
		to-- // for which there may be no room
	}
	start := int(p.doc.lines[line].from)
	hits := p.search.within(p.doc, from, to)
	for _, stretch := range p.stretchesOf(line) {
		end := min(start+stretch.To, to)
		for from < end {
			next, r, current := end, stretch.Role, false
			if len(hits) > 0 {
				switch hit := hits[0]; {
				case hit.to <= from:
					hits = hits[1:]
					continue
				case hit.from > from:
					next = min(end, hit.from)
				default:
					next, r, current = min(end, hit.to), match, hit.current
				}
			}
			l.Selected = current
			l.Put(r, string(p.doc.b[from:next]))
			l.Selected = false
			from = next
		}
	}
	if cut {
		l.Put(Faint, GlyphEllipsis)
	}
	return l.String()
}

// stretchesOf are the stretches of a line, cached for its other rows.
func (p *TextPane) stretchesOf(line int) []Stretch {
	if p.stretchesFor == p.doc && p.painted == line {
		return p.stretches
	}
	p.stretchesFor, p.painted = p.doc, line
	p.stretches = append(append(p.stretches[:0], p.doc.paint(line)...), Stretch{p.doc.end(line) - int(p.doc.lines[line].from), Plain})
	return p.stretches
}

// Place tells which of the rows are on the screen, "" if all are.
func (p *TextPane) Place() string {
	if n := len(p.rows); n > p.h {
		return fmt.Sprintf("%d%%", min(p.top+p.h, n)*100/n)
	}
	return ""
}

// search finds a word in a text, in any case as far as ASCII goes.
type search struct {
	input textinput.Model
	open  bool // being typed
	from  int  // row at which the search began
	word  string
	hits  []int32 // where the word stands in the text, ascending
	at    int     // the current one
}

// height is the number of lines the search takes at the bottom of its pane.
func (s *search) height() int {
	if s.open || s.word != "" {
		return 1
	}
	return 0
}

func (s *search) start(row int) tea.Cmd {
	*s = search{input: textinput.New(), open: true, from: row}
	return s.input.Focus()
}

// end forgets the search and reports whether there was one.
func (s *search) end() bool {
	was := s.height() > 0
	*s = search{}
	return was
}

// refresh looks for the same word in another text.
func (s *search) refresh(t *Document) {
	s.at = 0
	s.hits = s.hits[:0]
	if s.word == "" {
		return
	}
	if t.folded == nil {
		t.folded = foldASCII(t.b)
	}
	word := foldASCII([]byte(s.word))
	for from := 0; ; {
		i := bytes.Index(t.folded[from:], word)
		if i < 0 {
			return
		}
		s.hits = append(s.hits, int32(from+i))
		from += i + len(word)
	}
}

// foldASCII is a copy with the letters A to Z in lower case, byte for byte.
func foldASCII(b []byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// Typed gives a key or a paste to the word being typed. Messages go to say.
func (p *TextPane) Typed(msg tea.Msg, say func(string)) tea.Cmd {
	s := &p.search
	if pressed, ok := msg.(tea.KeyPressMsg); ok {
		switch pressed.String() {
		case "enter":
			s.open = false
			switch {
			case s.word == "":
				s.end()
			case len(s.hits) == 0:
				say("no match for " + s.word)
			}
			return nil
		case "esc":
			s.end()
			return nil
		case "ctrl+c":
			return tea.Quit
		}
	}
	s.input, _ = s.input.Update(msg) // its command only blinks a cursor that is not drawn
	if word := s.input.Value(); word != s.word {
		s.word = word
		if s.refresh(p.doc); len(s.hits) > 0 { // to the first one from there on
			_, from, _ := p.row(min(s.from, len(p.rows)-1))
			s.at, _ = slices.BinarySearch(s.hits, int32(from))
			s.at %= len(s.hits)
			p.reveal()
		}
	}
	return nil
}

// step goes to the next match, or to the previous one, around the ends.
func (p *TextPane) step(by int, say func(string)) {
	s := &p.search
	switch n := len(s.hits); {
	case s.word == "":
		say("no search yet: press / to search")
	case n == 0:
		say("no match for " + s.word)
	default:
		s.at = (s.at + by + n) % n
		p.reveal()
	}
}

// reveal scrolls to the current match, if it is out of sight.
func (p *TextPane) reveal() {
	row := p.rowAt(int(p.search.hits[p.search.at]))
	if row < p.top || row >= p.top+p.h {
		p.top = max(0, min(row-p.h/3, len(p.rows)-p.h))
	}
}

type hit struct {
	from, to int
	current  bool
}

// within are the matches in a part of the text, extended to whole characters.
func (s *search) within(t *Document, from, to int) []hit {
	if len(s.hits) == 0 {
		return nil
	}
	n := len(s.word)
	i, _ := slices.BinarySearch(s.hits, int32(from-n+1))
	var found []hit
	for ; i < len(s.hits) && int(s.hits[i]) < to; i++ {
		found = append(found, hit{max(from, int(s.hits[i])), min(to, int(s.hits[i])+n), i == s.at})
	}
	if len(found) > 0 && !ascii(t.b[from:to]) {
		wholeCharacters(found, t.b, from, to)
	}
	return found
}

func wholeCharacters(hits []hit, b []byte, from, to int) {
	var bounds []int
	for at := from; at < to; {
		bounds = append(bounds, at)
		cluster, _ := ansi.FirstGraphemeCluster(b[at:to], ansi.GraphemeWidth)
		at += len(cluster)
	}
	bounds = append(bounds, to)
	for i := range hits {
		if at, found := slices.BinarySearch(bounds, hits[i].from); !found {
			hits[i].from = bounds[at-1]
		}
		at, _ := slices.BinarySearch(bounds, hits[i].to)
		hits[i].to = bounds[at]
	}
}

func (s *search) draw(th *Theme, w int) string {
	l := NewLine(th, w)
	told, r := "  no match", Bad
	if n := len(s.hits); n > 0 {
		told, r = fmt.Sprintf("  %d of %d", s.at+1, n), Dim
	}
	if !s.open {
		_, n, _ := Fit(s.word, max(8, w-len(told)-18))
		l.Put(Accent, "/").Cell(Plain, s.word, n).Put(r, told)
		if w >= 40 {
			l.Put(Dim, "  n N esc")
		}
		return l.String()
	}
	if s.word == "" {
		told = ""
	}
	l.Put(Accent, "/")
	PutInput(l, &s.input, max(8, w-len(told)-2))
	l.Put(r, told)
	return l.String()
}

// PutInput draws what is typed in w cells or so, with the cursor.
func PutInput(l *Line, in *textinput.Model, w int) {
	value, at := []rune(in.Value()), in.Position()
	from := max(0, at-w+1)
	value = value[from:min(len(value), from+w)]
	under, rest := " ", ""
	if i := at - from; i < len(value) {
		under, rest = string(value[i]), string(value[i+1:])
	}
	l.Put(Plain, string(value[:at-from]))
	l.Selected = true
	l.Put(Strong, under)
	l.Selected = false
	l.Put(Plain, rest)
}
