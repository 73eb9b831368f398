package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"aspectop/printer"
)

func (v *deliveriesView) draw(m *Model, w, h int) []string {
	if m.opt.API == nil {
		return m.drawNoKey(w, h)
	}
	lines := v.drawHead(m, w, h)
	c := deliveryColumns(w)
	for row := v.rows.top; row < len(v.shown) && len(lines) < h; row++ {
		lines = append(lines, v.drawRow(m, &c, row, w))
	}
	return tall(m.th, lines, w, h)
}

// drawNoKey says what is missing.
func (m *Model) drawNoKey(w, h int) []string {
	var lines []string
	if h > 8 {
		lines = append(lines, blank(m.th, w))
	}
	say := func(r role, s string) { lines = append(lines, m.paragraph(r, s, w, h)...) }
	say(plain, "What Aspect says it sent.")
	say(dim, "Messages and delivery attempts from Aspect's API, each beside what came here. That takes an API key: start with ASPECT_API_KEY set.")
	lines = append(lines, blank(m.th, w), newLine(m.th, w).space(2).put(accent, "3").put(dim, " shows every delivery that came here.").String())
	return tall(m.th, lines, w, h)
}

// paragraph is a text in lines of at most 72 cells, as many as most.
func (m *Model) paragraph(r role, text string, w, most int) []string {
	var lines []string
	for line := range strings.Lines(ansi.Wrap(printer.Clean(text), max(8, min(72, w-3)), "")) {
		if len(lines) == most {
			break
		}
		lines = append(lines, newLine(m.th, w).space(2).put(r, strings.TrimSuffix(line, "\n")).String())
	}
	return lines
}

// drawHead tells how asking Aspect went, and the titles of the columns.
func (v *deliveriesView) drawHead(m *Model, w, h int) []string {
	var lines []string
	s := &v.sent
	if s.failure != "" {
		lines = m.paragraph(bad, "Aspect did not tell: "+s.failure, w, max(1, h/2))
		if h > 5 {
			lines = append(lines, m.paragraph(dim, "R asks again; the next try is within "+ago(sentEvery)+".", w, 1)...)
		}
	}
	switch {
	case s.read.IsZero() && s.failure == "":
		return append(lines, m.paragraph(dim, "Asking Aspect what it sent "+glyphEllipsis, w, 1)...)
	case len(s.messages) == 0 && s.failure == "":
		return append(lines, m.paragraph(plain, "Aspect tells of no message.", w, 1)...)
	case len(s.messages) == 0:
		return lines
	case len(v.shown) == 0:
		lines = append(lines, m.paragraph(plain, "Nothing passes the filter.", w, 1)...)
	}
	if h > 5 {
		l := newLine(m.th, w).space(2).put(plain, v.summary())
		if age := ", told " + since(s.read, m.at) + " ago"; len(age) <= l.free {
			l.put(dim, age)
		}
		lines = append(lines, l.String())
	}
	if h > 3 {
		c := deliveryColumns(w)
		lines = append(lines, c.drawTitles(m, w))
	}
	return lines
}

// deliveryCols is the layout of the list, 0 for a column that had to give way.
type deliveryCols struct {
	status, here, task, kind, id int
}

func deliveryColumns(w int) deliveryCols {
	c := deliveryCols{status: 11, here: 18, task: 10, kind: 16, id: 12}
	used := func() int { return 2 + clockWidth + 1 + c.status + c.here + c.task + c.kind + c.id }
	for _, giveWay := range []*int{&c.task, &c.kind, &c.id} {
		if used() > w {
			*giveWay = 0
		}
	}
	if c.id > 0 {
		c.id += min(w-used(), 20) // as long as Svix makes them
	}
	return c
}

func (c *deliveryCols) drawTitles(m *Model, w int) string {
	l := newLine(m.th, w).space(2).cell(dim, "SENT", clockWidth).space(1)
	for _, col := range []struct {
		name string
		w    int
	}{{"STATUS", c.status}, {"HERE", c.here}, {"TASK", c.task}, {"TYPE", c.kind}, {"MESSAGE", c.id}} {
		if col.w > 0 {
			l.cell(dim, col.name, col.w-1).space(1)
		}
	}
	return l.String()
}

func (v *deliveriesView) drawRow(m *Model, c *deliveryCols, row, w int) string {
	i := v.shown[row]
	msg, h := &v.sent.messages[i], v.joined[i]
	l := newLine(m.th, w)
	if l.selected = row == v.rows.cursor; l.selected {
		l.put(accent, glyphCursor)
	}
	l.to(2)
	l.put(dim, clock(msg.Time)).space(1)
	sign, word, r := statusWord(v.sent.status(i))
	l.cell(r, sign+" "+word, c.status-1).space(1)
	here, r := h.words()
	l.cell(r, here, c.here-1).space(1)
	if c.task > 0 {
		id := ""
		if a := m.log.rows[h.row.seq]; h.is == hereArrived && a != nil && a.Task != nil {
			id = short(a.Task.ID, c.task-1)
		}
		l.cell(plain, id, c.task-1).space(1)
	}
	if c.kind > 0 {
		l.cell(plain, msg.EventType, c.kind-1).space(1)
	}
	if c.id > 0 {
		l.cell(dim, msg.ID, c.id)
	}
	return l.String()
}
