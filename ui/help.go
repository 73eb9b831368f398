package ui

import "strings"

// helpPage is the key table, made from the bindings.
type helpPage struct {
	top int
}

// helpLine is one line of it: a heading, or a key and what it does.
type helpLine struct{ keys, text string }

func helpLines() []helpLine {
	var lines []helpLine
	for _, p := range []place{anywhere, inList, inText} {
		lines = append(lines, helpLine{text: placeTitles[p]})
		for _, b := range bindings {
			if b.place != p {
				continue
			}
			names := make([]string, len(b.keys))
			for i, k := range b.keys {
				names[i] = keyName(k)
			}
			lines = append(lines, helpLine{strings.Join(names, " "), b.help})
		}
		lines = append(lines, helpLine{})
	}
	return append(lines, stateLegend()...)
}

func stateLegend() []helpLine {
	return []helpLine{
		{text: "States"},
		{"· q", "queued"}, {"▸ p", "processing, with the time so far"}, {"✓ c", "completed, with the time it took"},
		{"✗ f", "failed"}, {"× x", "cancelled"}, {"– n", "not applicable; counts as done"}, {"? ?", "a state that is not documented"},
	}
}

func (p *helpPage) draw(m *Model, w, h int) []string {
	lines := helpLines()
	p.top = max(0, min(p.top, len(lines)-h))
	var out []string
	for _, hl := range lines[p.top:min(len(lines), p.top+h)] {
		l := newLine(m.th, w)
		if hl.keys == "" {
			l.put(strong, " "+hl.text)
		} else {
			l.space(2).cell(accent, hl.keys, 16).put(plain, hl.text)
		}
		out = append(out, l.String())
	}
	return tall(m.th, out, w, h)
}

func (p *helpPage) do(a action, h int) bool {
	w := window{cursor: p.top, top: p.top}
	if !w.move(a, len(helpLines()), h) {
		return false
	}
	p.top = w.cursor
	return true
}
