package ui

import (
	"aspectop/ui/draw"
	"aspectop/ui/keys"
)

// helpPage is the key table, made from the bindings.
type helpPage struct {
	top int
}

// helpLine is one line of it: a heading, or a key and what it does.
type helpLine struct{ keys, text string }

func (m *Model) helpLines() []helpLine {
	var lines []helpLine
	where := ""
	for _, row := range m.keys.Table() {
		if row.Where != where {
			if where != "" {
				lines = append(lines, helpLine{})
			}
			where = row.Where
			lines = append(lines, helpLine{text: where})
		}
		lines = append(lines, helpLine{row.Keys, row.Does})
	}
	lines = append(append(lines, helpLine{}), stateLegend()...)
	return append(lines, m.viewerLines()...)
}

// viewerLines list those who watch from elsewhere.
func (m *Model) viewerLines() []helpLine {
	viewers := m.viewers()
	if len(viewers) == 0 || m.Hidden {
		return nil
	}
	lines := []helpLine{{}, {text: "Watching over SSH"}}
	for _, v := range viewers {
		since := draw.Ago(max(0, m.Now().Sub(v.Since)))
		lines = append(lines, helpLine{since, v.Name + " from " + v.Address})
	}
	return lines
}

func stateLegend() []helpLine {
	return []helpLine{
		{text: "States"},
		{"· q", "queued"}, {"▸ p", "processing, with the time so far"}, {"✓ c", "completed, with the time it took"},
		{"✗ f", "failed"}, {"× x", "cancelled"}, {"– n", "not applicable; counts as done"}, {"? ?", "a state that is not documented"},
	}
}

func (p *helpPage) draw(m *Model, w, h int) []string {
	lines := m.helpLines()
	p.top = max(0, min(p.top, len(lines)-h))
	var out []string
	for _, hl := range lines[p.top:min(len(lines), p.top+h)] {
		l := draw.NewLine(m.Theme, w)
		if hl.keys == "" {
			l.Put(draw.Strong, " "+hl.text)
		} else {
			l.Space(2).Cell(draw.Accent, hl.keys, 16).Put(draw.Plain, hl.text)
		}
		out = append(out, l.String())
	}
	return draw.Tall(m.Theme, out, w, h)
}

func (p *helpPage) do(m *Model, a keys.Action, h int) bool {
	w := draw.Window{Cursor: p.top, Top: p.top}
	if !w.Move(a, len(m.helpLines()), h) {
		return false
	}
	p.top = w.Cursor
	return true
}
