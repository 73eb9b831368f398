package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/keys"
	"aspectop/words"
)

// helpPage is the key table, made from the bindings, and what the glyphs mean. It
// stands in as many columns as fit.
type helpPage struct {
	top int
}

// helpGroup is a heading with what belongs under it.
type helpGroup struct {
	title string
	rows  [][2]string // a key, and what it does
}

func (m *Model) helpGroups() []helpGroup {
	var groups []helpGroup
	for _, row := range m.keys.Table() {
		if n := len(groups); n == 0 || groups[n-1].title != string(row.Topic) {
			groups = append(groups, helpGroup{title: string(row.Topic)})
		}
		g := &groups[len(groups)-1]
		g.rows = append(g.rows, [2]string{row.Keys, row.Does})
	}
	states := helpGroup{title: "States"}
	for _, s := range append(slices.Clone(model.States), model.UnknownState) {
		states.rows = append(states.rows, [2]string{s.Sign + " " + s.Letter, s.Meaning})
	}
	groups = append(groups, states)
	if viewers := m.Viewers(); len(viewers) > 0 && !m.Masked {
		watching := helpGroup{title: "Watching over SSH"}
		for _, v := range viewers {
			since := words.Ago(max(0, m.Now().Sub(v.Since)))
			watching.rows = append(watching.rows, [2]string{since, v.Name + " from " + v.Address})
		}
		groups = append(groups, watching)
	}
	return groups
}

// helpColumn is the least width of a column.
const helpColumn = 40

// lines are the lines of the page, w cells wide.
func (p *helpPage) lines(m *Model, w int) []string {
	groups := m.helpGroups()
	columns := max(1, w/helpColumn)
	all := 0
	for _, g := range groups {
		all += len(g.rows) + 2
	}
	width, high := w/columns, (all+columns-1)/columns
	var out [][]string // a slice of lines for each column
	var column []string
	for i, g := range groups {
		// A group goes into the next column if less than half of it would fit.
		if i > 0 && len(out) < columns-1 && len(column)+len(g.rows)/2 > high {
			out, column = append(out, column), nil
		}
		if len(column) > 0 {
			column = append(column, draw.Blank(m.Theme, width))
		}
		column = append(column, draw.NewLine(m.Theme, width).Put(draw.Strong, " "+g.title).String())
		for _, row := range g.rows {
			column = append(column, draw.NewLine(m.Theme, width).Space(2).Cell(draw.Accent, row[0], 10).Put(draw.Plain, row[1]).String())
		}
	}
	out = append(out, column)
	high = 0 // of the highest column
	for _, c := range out {
		high = max(high, len(c))
	}
	lines := make([]string, high)
	for y := range lines {
		for i := range columns {
			if i < len(out) && y < len(out[i]) {
				lines[y] += out[i][y]
			} else {
				lines[y] += draw.Blank(m.Theme, width)
			}
		}
		lines[y] += draw.Blank(m.Theme, w-columns*width)
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
