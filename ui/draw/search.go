package draw

import (
	"bytes"
	"fmt"
	"slices"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

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

// start opens the line in which the word is typed.
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

// Typed hands a key or a paste to the word that is being typed; say is called
// with messages for the user.
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
		s.refresh(p.doc)
		p.toHitFrom(s.from)
	}
	return nil
}

// toHitFrom goes to the first match in the row or behind it.
func (p *TextPane) toHitFrom(row int) {
	s := &p.search
	if len(s.hits) == 0 || p.len() == 0 {
		return
	}
	_, from, _ := p.row(min(row, p.len()-1))
	s.at, _ = slices.BinarySearch(s.hits, int32(from))
	s.at %= len(s.hits)
	p.reveal()
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
		p.top = max(0, min(row-p.h/3, p.len()-p.h))
	}
}

// hit is a match as it is drawn.
type hit struct {
	from, to int
	current  bool
}

// within are the matches that reach into a stretch of the text. They begin and
// end with whole characters: half of one has no width of its own.
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
	if len(found) > 0 && !asciiBytes(t.b[from:to]) {
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

// draw draws the line of the search: what is typed, and how many matches.
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
