package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/screen"
	"aspectop/words"
)

func (m *Model) showOverlay(s *screen.Overlay) {
	s.Text = draw.NewTextPane()
	m.overlay, m.help, m.filterLine.open = s, nil, false
}

func (m *Model) closeOverlay() {
	if m.overlay != nil && m.overlay.Dropped != "" {
		m.say(m.overlay.Dropped)
	}
	m.overlay = nil
}

func (m *Model) doOnOverlay(a keys.Action) (tea.Cmd, bool) {
	s := m.overlay
	if cmd, ok := s.Text.Do(a, m.say); ok {
		return cmd, true
	}
	switch a {
	case keys.Back, keys.Quit, keys.Left:
		m.closeOverlay()
	case keys.Open:
		if s.Enter == nil {
			return nil, true
		}
		m.overlay = nil
		return s.Enter(), true
	case keys.Wrap:
		s.Text.Wrap = !s.Text.Wrap
	case keys.NextPane, keys.PrevPane: // there is one pane
	case keys.Replay, keys.Edit:
		if s.Enter == nil {
			return nil, false
		}
		m.say(s.Title())
	default:
		return nil, false
	}
	return nil, true
}

func (m *Model) arrangeOverlay(w, h int) {
	m.overlay.Text.Show(m.overlay.Content(), true)
	m.overlay.Text.Arrange(w, max(1, h-1))
}

func (m *Model) drawOverlay(w, h int) []string {
	s := m.overlay
	title := draw.NewLine(m.Theme, w).Tab(" "+s.Title()+" ", true).End(draw.Dim, s.Text.Place())
	return append([]string{title.String()}, s.Text.Draw(m.Theme, w, h-1)...)
}

// searching reports whether a word to search for is being typed.
func (m *Model) searching() bool {
	p := m.reader()
	return m.help == nil && p != nil && p.Searching()
}

func (m *Model) reader() *draw.TextPane {
	switch {
	case m.overlay != nil:
		return &m.overlay.Text
	case m.detail != nil:
		return m.detail.Reader()
	}
	return nil
}

// helpPage is the key table and what the glyphs mean, in as many columns as fit.
type helpPage struct {
	top int
}

// helpGroups are the rows of the help, those of one topic together.
func (m *Model) helpGroups() (groups [][]keys.Row) {
	rows := m.keys.Table()
	for _, s := range append(slices.Clone(model.States), model.UnknownState) {
		rows = append(rows, keys.Row{Topic: "States", Keys: s.Sign + " " + s.Letter, Does: s.Meaning})
	}
	rows = append(rows, signs...)
	for _, v := range m.Viewers() {
		if since := words.Ago(m.Now().Sub(v.Since)); !m.Masked {
			rows = append(rows, keys.Row{Topic: "Watching over SSH", Keys: since, Does: v.Name + " from " + v.Address})
		}
	}
	for i, row := range rows {
		if i == 0 || row.Topic != rows[i-1].Topic {
			groups = append(groups, nil)
		}
		g := &groups[len(groups)-1]
		*g = append(*g, row)
	}
	return groups
}

// signs are the words and signs that are no states.
var signs = []keys.Row{
	{Topic: "Signs", Keys: "verdict", Does: "blank: verified"},
	{Topic: "Signs", Keys: draw.GlyphWait + " " + draw.GlyphFull, Does: "queued, processing"},
	{Topic: "Signs", Keys: draw.GlyphUsual, Does: "usual end (half end earlier)"},
	{Topic: "Signs", Keys: draw.GlyphFold + " 3 h " + draw.GlyphFold, Does: "a time without work, folded"},
	{Topic: "Signs", Keys: draw.GlyphEarlier + " " + draw.GlyphArrow, Does: "before, after the time shown"},
	{Topic: "Signs", Keys: "×2", Does: "was processed twice"},
	{Topic: "Signs", Keys: draw.GlyphSorted, Does: "the list is sorted by this"},
	{Topic: "Signs", Keys: "ETA", Does: "expected end, by the medians"},
	{Topic: "Signs", Keys: "internal", Does: "Aspect's own, does not count"},
	{Topic: "Signs", Keys: "decided", Does: "by the event that told state"},
	{Topic: "Signs", Keys: "soon", Does: "within a second, or overdue"},
}

const helpColumn = 40

func (p *helpPage) lines(m *Model, w int) []string {
	groups := m.helpGroups()
	columns := max(1, w/helpColumn)
	all := 0
	for _, g := range groups {
		all += len(g) + 2
	}
	width, high := w/columns, (all+columns-1)/columns
	var out [][]string // a slice of lines for each column
	var column []string
	for i, g := range groups {
		// A group goes into the next column if less than half of it would fit.
		if i > 0 && len(out) < columns-1 && len(column)+len(g)/2 > high {
			out, column = append(out, column), nil
		}
		if len(column) > 0 {
			column = append(column, draw.Blank(m.Theme, width))
		}
		column = append(column, draw.NewLine(m.Theme, width).Put(draw.Strong, " "+string(g[0].Topic)).String())
		for _, row := range g {
			column = append(column, draw.NewLine(m.Theme, width).Space(2).Cell(draw.Accent, row.Keys, 10).Put(draw.Plain, row.Does).String())
		}
	}
	out = append(out, column)
	high = 0 // of the highest column
	for _, c := range out {
		high = max(high, len(c))
	}
	lines := make([]string, high)
	for _, c := range out {
		for y, line := range draw.PadHeight(m.Theme, c, width, high) {
			lines[y] += line
		}
	}
	for y := range lines {
		lines[y] += draw.Blank(m.Theme, w-len(out)*width)
	}
	if len(m.Remarks) == 0 || m.Masked {
		return lines
	}
	// What was said at the start, such as where others can watch, in full.
	lines = append(lines, draw.Blank(m.Theme, w), draw.NewLine(m.Theme, w).Put(draw.Strong, " Said at the start").String())
	for _, r := range m.Remarks {
		for line := range strings.Lines(ansi.Wrap(clean.Text(r), max(8, w-3), "")) {
			lines = append(lines, draw.NewLine(m.Theme, w).Space(2).Put(draw.Plain, strings.TrimSuffix(line, "\n")).String())
		}
	}
	return lines
}

func (p *helpPage) draw(m *Model, w, h int) []string {
	lines := p.lines(m, w)
	p.top = max(0, min(p.top, len(lines)-h))
	shown := slices.Clone(lines[p.top:min(len(lines), p.top+h)])
	if below := len(lines) - p.top - h; below > 0 {
		shown[h-1] = draw.NewLine(m.Theme, w).Put(draw.Dim, " ↓ "+words.Count(below+1, "more line", "more lines")).String()
	}
	return draw.PadHeight(m.Theme, shown, w, h)
}

func (p *helpPage) do(m *Model, a keys.Action, h int) bool {
	return draw.Scroll(&p.top, a, len(p.lines(m, m.W)), h)
}
