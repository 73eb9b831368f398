package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
)

const flashTime = 4 * time.Second

type flash struct {
	text string
	n    int // which one, so that an old timer does not clear a new message
}

// Say is a message to the screen from the program around it: a text for the footer.
type Say string

// say shows a message in the footer for a while.
func (m *Model) say(text string) {
	m.flash.text = text
	m.flash.n++
	n := m.flash.n
	m.Later(tea.Tick(flashTime, func(time.Time) tea.Msg {
		return screen.Result(func() {
			if n == m.flash.n {
				m.flash.text = ""
			}
		})
	}))
}

// leastWithFilterLine is the height from which the filter has a line of its own, and notices
// a place in the line of the tabs.
const leastWithFilterLine = 16

// narrowed reports whether less is shown than there is.
func (m *Model) narrowed() bool { return m.filterLine.open || m.Frozen() || m.Filter.Active() }

// drawNarrowed draws the filter, being typed or not, or that the frame is frozen.
func (m *Model) drawNarrowed(l *draw.Line) {
	if m.filterLine.open {
		m.drawFilter(l)
		return
	}
	if m.Frozen() {
		l.Put(draw.Warn, fmt.Sprintf("frozen, %d new", m.Board.Waiting())).Put(draw.Dim, "  space resumes  ")
	}
	if f := &m.Filter; f.Active() {
		what := f.Words.String()
		if f.Failures {
			what = strings.TrimSpace("failures only " + what)
		}
		l.Put(draw.Accent, "/"+what).Put(draw.Dim, "  "+m.shownWords()+"  ")
	}
}

// drawFooter draws the last lines: the filter, and keys or a notice.
func (m *Model) drawFooter() (lines []string) {
	l := draw.NewLine(m.Theme, m.W)
	own := m.layout().filter > 0
	switch {
	case own:
		m.drawNarrowed(l)
		lines = append(lines, l.String())
		l = draw.NewLine(m.Theme, m.W)
	case m.filterLine.open:
		m.drawFilter(l)
		return []string{l.String()}
	}
	switch {
	case m.flash.text != "" && !m.noticeInTabs():
		l.Put(draw.Accent, m.flash.text)
	case m.filterLine.open:
		putKey(l, keys.Binding{Keys: []string{"enter"}, Short: "keep"})
		putKey(l, keys.Binding{Keys: []string{"esc"}, Short: m.escDoes()})
	default:
		if !own {
			m.drawNarrowed(l)
		}
		m.drawKeys(l)
	}
	return append(lines, l.String())
}

// noticeInTabs reports whether the notice fits at the right end of the tabs.
func (m *Model) noticeInTabs() bool {
	if m.H < leastWithFilterLine {
		return false
	}
	_, n, _ := draw.Fit(m.flash.text, m.W)
	return tabsWidth(false)+n+2 <= m.W && m.drawnPart() == ""
}

// escDoes says what esc does next; "" for nothing.
func (m *Model) escDoes() string {
	switch p := m.reader(); {
	case m.connect:
		return "leave"
	case m.help != nil:
		return "close help"
	case m.filterLine.open:
		return "cancel"
	case p != nil && p.Searched():
		return "end search"
	case m.overlay != nil:
		return "close"
	case m.detail != nil:
		return "back"
	case m.Filter.Active():
		return "clear filter"
	}
	return ""
}

func (m *Model) drawFilter(l *draw.Line) {
	f := &m.filterLine
	end := "  " + m.shownWords()
	r := draw.Dim
	if f.wrong != nil {
		end, r = "  "+f.wrong.Message, draw.Bad
	}
	l.Put(draw.Accent, "/")
	draw.PutInput(l, &f.input, max(l.Free*2/5, l.Free-len(end)-2))
	l.Put(r, end)
}

// shownWords tells how many rows pass the filter, as far as they were found.
func (m *Model) shownWords() string {
	n, looking := m.views[m.view].Shown(m.Screen)
	if looking {
		return fmt.Sprintf("%d shown so far", n)
	}
	return fmt.Sprintf("%d shown", n)
}

// drawKeys lists the keys that apply here, as many as fit, with help and quit at the right.
func (m *Model) drawKeys(l *draw.Line) {
	last := []keys.Binding{}
	width := 0
	for _, b := range m.keys {
		if (b.Do == keys.Help || b.Do == keys.Quit) && l.Free-width > 24 {
			last = append(last, b)
			width += keyWidth(b)
		}
	}
	if m.connect {
		putKey(l, keys.Binding{Keys: []string{"1–6"}, Short: "copy"})
	} else if m.help == nil && m.detail == nil && m.layout().tabs == 0 { // else the tabs name them
		putKey(l, keys.Binding{Keys: []string{fmt.Sprintf("1–%d", len(views))}, Short: "views"})
	}
	for _, b := range m.keys {
		if b.Do == keys.Back {
			b.Short = m.escDoes()
		}
		if b.Short == "" || b.Do == keys.Help || b.Do == keys.Quit || !m.means(b) {
			continue
		}
		if l.Free < keyWidth(b)+width {
			break
		}
		putKey(l, b)
	}
	l.To(l.Width - width)
	for _, b := range last {
		putKey(l, b)
	}
}

func keyWidth(b keys.Binding) int { return draw.Cells(keys.Name(b.Keys[0])) + 1 + len(b.Short) + 2 }

func putKey(l *draw.Line, b keys.Binding) {
	l.Put(draw.Accent, keys.Name(b.Keys[0])).Put(draw.Dim, " "+b.Short+"  ")
}

// means reports whether a key does something in the current place.
func (m *Model) means(b keys.Binding) bool {
	if !b.Place.Holds(m.place()) {
		return false
	}
	if m.help != nil || m.connect {
		return b.Do == keys.Back
	}
	switch b.Do {
	case keys.NextPane:
		return m.detail != nil
	case keys.Back:
		return m.escDoes() != ""
	case keys.Replay, keys.Edit:
		return m.Resend != nil
	case keys.Connect:
		return m.Board.Len() == 0
	case keys.Export:
		return m.Export != nil
	case keys.Wrap:
		return m.reader() != nil
	case keys.Sort, keys.Follow, keys.Open, keys.Preview:
		n, _ := m.views[m.view].Shown(m.Screen)
		return n > 0 && m.views[m.view].Has(m.Screen, b.Do)
	}
	return true
}

// filterLine is where the filter is typed, in the last line.
type filterLine struct {
	input   textinput.Model
	open    bool               // being typed
	wrong   *model.FilterError // what is typed is no filter; the last good one holds
	before  string             // what the filter was when typing began
	matched time.Time          // when tasks were last matched against a filter that drifts
}

func (f *filterLine) set(filter *model.Filter) {
	f.input = textinput.New()
	f.input.SetValue(filter.String())
}

func (m *Model) clearFilter() {
	m.filterLine.input.SetValue("")
	m.filterLine.wrong = nil
	m.Filter.Clear()
	m.changed(screen.Change{Filter: true})
}

// typed hands a key or a paste to the filter that is being typed.
func (m *Model) typed(msg tea.Msg) tea.Cmd {
	f := &m.filterLine
	if key, ok := msg.(tea.KeyPressMsg); ok {
		switch key.String() {
		case "enter":
			if _, err := m.Filters.Parse(f.input.Value()); errors.As(err, &f.wrong) {
				return nil // its message stays; an older filter must not pass for this one
			}
			f.open = false
			f.input.Blur()
			return nil
		case "esc":
			f.open = false
			f.input.Blur()
			f.input.SetValue(f.before)
			msg = nil
		case "ctrl+c":
			return tea.Quit
		}
	}
	if msg != nil {
		f.input, _ = f.input.Update(msg) // its command only blinks a cursor that is not drawn
	}
	filter, err := m.Filters.Parse(f.input.Value())
	if f.wrong = nil; errors.As(err, &f.wrong) && !f.wrong.Unfinished {
		return nil
	}
	f.wrong = nil // what is still being typed is not wrong
	if filter.String() != m.Filter.Words.String() {
		m.Filter.Words = filter
		m.changed(screen.Change{Filter: true})
	}
	return nil
}

// filterEvery is how often all tasks are matched against a filter that drifts.
const filterEvery = 5 * time.Second

func (m *Model) filterAgain() {
	if f := &m.filterLine; !m.Frozen() && m.Drifts() && m.At.Sub(f.matched) >= filterEvery {
		f.matched = m.At
		m.changed(screen.Change{All: true})
	}
}
