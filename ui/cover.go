package ui

import (
	"math"
	"slices"

	tea "charm.land/bubbletea/v2"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/ui/render"
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

// connectLines is the page of Connect.
func (m *Model) connectLines() []string {
	title := draw.NewLine(m.Theme, m.W).Put(draw.Strong, " Connect").Put(draw.Dim, "  what is set up on the way from Aspect to this screen").String()
	return append([]string{title, draw.Blank(m.Theme, m.W)}, render.Connect(m.Screen, true, m.W)...)
}

// drawConnect draws Connect in h lines.
func (m *Model) drawConnect(h int) []string {
	lines := m.connectLines()
	m.connectTop = max(0, min(m.connectTop, len(lines)-h))
	return draw.PadHeight(m.Theme, lines[m.connectTop:min(len(lines), m.connectTop+h)], m.W, h)
}

// doOnConnect copies by number, and leaves.
func (m *Model) doOnConnect(a keys.Action) tea.Cmd {
	switch {
	case a == keys.Back || a == keys.Connect || a == keys.Quit:
		m.connect, m.connectTop = false, 0
	case draw.Scroll(&m.connectTop, a, len(m.connectLines()), m.layout().body):
	case a >= keys.View:
		all := render.Addresses(m.Screen)
		if i := int(a - keys.View); i < len(all) && all[i].Shows() {
			return m.copied(all[i].Name, all[i].Text)
		}
		m.say("nothing to copy there")
	}
	return nil
}

// helpPage is the key table and what the glyphs mean, in as many columns as fit.
type helpPage struct {
	top int
}

// helpRows are the rows of the help: the keys, then what words and signs mean.
func (m *Model) helpRows() (keyRows, meanings []keys.Row) {
	for _, s := range append(slices.Clone(model.States), model.UnknownState) {
		meanings = append(meanings, keys.Row{Topic: "States", Keys: s.Sign + " " + s.Letter, Does: s.Meaning})
	}
	meanings = append(meanings, signs...)
	for _, v := range m.Viewers() {
		if since := words.Ago(m.Now().Sub(v.Since)); !m.Masked {
			meanings = append(meanings, keys.Row{Topic: "Watching over SSH", Keys: since, Does: v.Name + " from " + v.Address})
		}
	}
	return m.keys.Table(), meanings
}

// signs are the words and signs that are no states. docs/glossary.md says more of each.
var signs = []keys.Row{
	{Topic: "Words", Keys: "event", Does: "what Aspect says of a task"},
	{Topic: "Words", Keys: "delivery", Does: "a verified request"},
	{Topic: "Words", Keys: "message", Does: "Svix's, with an id"},
	{Topic: "Words", Keys: "attempt", Does: "one try to deliver it"},
	{Topic: "Words", Keys: "verified", Does: "signed correctly, in time"},
	{Topic: "Words", Keys: `secret "a"`, Does: "a name; never the secret"},
	{Topic: "Words", Keys: "rejected", Does: "not verified; no change"},
	{Topic: "Words", Keys: "duplicate", Does: "arrived before; no change"},
	{Topic: "Words", Keys: "late", Does: "older than what was known"},
	{Topic: "Words", Keys: "unsigned", Does: "from the API or stream"},
	{Topic: "Words", Keys: "this run", Does: "since the program started"},
	{Topic: "Words", Keys: "stalled", Does: "active, long without news"},
	{Topic: "Words", Keys: "gone", Does: "Aspect no longer knows it"},
	{Topic: "Words", Keys: "internal", Does: "Aspect's own; not counted"},
	{Topic: "Words", Keys: "decided by", Does: "what set the state"},
	{Topic: "Words", Keys: "took", Does: "from creation to end"},
	{Topic: "Words", Keys: "ETA", Does: "expected end, by medians"},
	{Topic: "Words", Keys: "soon", Does: "expected within a second"},
	{Topic: "Words", Keys: "p50 p95", Does: "half, 95 % are no longer"},
	{Topic: "Words", Keys: "refused", Does: "by the handler, for good"},
	{Topic: "Words", Keys: "given up", Does: "every try has failed"},
	{Topic: "Signs", Keys: draw.GlyphLive + " " + draw.GlyphDown, Does: "works, does not"},
	{Topic: "Signs", Keys: "no verdict", Does: "verified"},
	{Topic: "Signs", Keys: string(draw.GlyphSpark[0]) + string(draw.GlyphSpark[len(draw.GlyphSpark)-1]), Does: "deliveries, last minute"},
	{Topic: "Signs", Keys: draw.GlyphThick + draw.GlyphEmpty + " 2/4", Does: "features that have ended"},
	{Topic: "Signs", Keys: "✓ 4s", Does: "processed 4 s, not queued"},
	{Topic: "Signs", Keys: "▸ 9s", Does: "so long in this state"},
	{Topic: "Signs", Keys: draw.GlyphWait + " " + draw.GlyphFull, Does: "queued, processing"},
	{Topic: "Signs", Keys: draw.GlyphUsual, Does: "usual end; then overdue"},
	{Topic: "Signs", Keys: draw.GlyphFold + " 3 h " + draw.GlyphFold, Does: "a stretch without work"},
	{Topic: "Signs", Keys: draw.GlyphEarlier + " " + draw.GlyphArrow, Does: "earlier, later than this"},
	{Topic: "Signs", Keys: "×2", Does: "was processed twice"},
	{Topic: "Signs", Keys: draw.GlyphSorted, Does: "the list is sorted by this"},
	{Topic: "Signs", Keys: "…", Does: "there is more, but no room"},
}

const helpColumn = 40

func (p *helpPage) lines(m *Model, w int) []string {
	keyRows, meanings := m.helpRows()
	lines := m.helpSection(keyRows, w)
	lines = append(append(lines, draw.Blank(m.Theme, w)), m.helpSection(meanings, w)...)
	if len(m.Remarks) == 0 || m.Masked {
		return lines
	}
	// What was said at the start, such as where others can watch, in full.
	lines = append(lines, draw.Blank(m.Theme, w), draw.NewLine(m.Theme, w).Put(draw.Strong, " Said at the start").String())
	for _, r := range m.Remarks {
		lines = append(lines, render.Wrapped(m.Screen, draw.Plain, r, w, w, math.MaxInt)...)
	}
	return lines
}

// helpSection draws rows in columns of about the same height, those of a topic in one.
func (m *Model) helpSection(rows []keys.Row, w int) []string {
	var groups [][]keys.Row
	for i, row := range rows {
		if i == 0 || row.Topic != rows[i-1].Topic {
			groups = append(groups, nil)
		}
		g := &groups[len(groups)-1]
		*g = append(*g, row)
	}
	columns := max(1, w/helpColumn)
	width, high := w/columns, (len(rows)+2*len(groups)+columns-1)/columns
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
			column = append(column, draw.NewLine(m.Theme, width).Space(2).Cell(draw.Accent, row.Keys, 11).Put(draw.Plain, row.Does).String())
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
