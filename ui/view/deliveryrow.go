package view

import (
	"aspectop/ui/draw"
	"aspectop/ui/look"
	"aspectop/ui/screen"
)

func (v *Deliveries) Draw(sc *screen.Screen, w, h int) []string {
	if sc.API == nil {
		return drawNoKey(sc, w, h)
	}
	lines := v.drawHead(sc, w, h)
	c := deliveryColumns(w)
	for row := v.rows.Top; row < len(v.shown) && len(lines) < h; row++ {
		lines = append(lines, v.drawRow(sc, &c, row, w))
	}
	return draw.Tall(sc.Theme, lines, w, h)
}

// drawNoKey says what would be here and how to get it.
func drawNoKey(sc *screen.Screen, w, h int) []string {
	var lines []string
	if h > 8 {
		lines = append(lines, draw.Blank(sc.Theme, w))
	}
	say := func(r draw.Role, s string) { lines = append(lines, look.Paragraph(sc, r, s, w, h)...) }
	say(draw.Plain, "What Aspect says it sent, next to what arrived here.")
	say(draw.Dim, "One row per webhook message: when Aspect sent it, whether Svix delivered it, and whether it arrived here. "+
		"Opening one shows every delivery attempt with its response code.")
	lines = append(lines, draw.Blank(sc.Theme, w))
	say(draw.Dim, "This needs an API key:")
	say(draw.Accent, "  ASPECT_API_KEY=sk_… aspectop watch")
	lines = append(lines, draw.Blank(sc.Theme, w), draw.NewLine(sc.Theme, w).Space(2).Put(draw.Accent, "3").Put(draw.Dim, " shows every delivery that arrived here.").String())
	return draw.Tall(sc.Theme, lines, w, h)
}

// drawHead tells how asking Aspect went, and the titles of the columns.
func (v *Deliveries) drawHead(sc *screen.Screen, w, h int) []string {
	var lines []string
	s := &v.sent
	if s.failure != "" {
		lines = look.Paragraph(sc, draw.Bad, "Aspect's API failed: "+s.failure, w, max(1, h/2))
		if h > 5 {
			lines = append(lines, look.Paragraph(sc, draw.Dim, "Press R to retry now; otherwise the next try is within "+draw.Ago(sentEvery)+".", w, 1)...)
		}
	}
	switch {
	case s.read.IsZero() && s.failure == "":
		return append(lines, look.Paragraph(sc, draw.Dim, "Asking Aspect what it sent "+draw.GlyphEllipsis, w, 1)...)
	case len(s.messages) == 0 && s.failure == "":
		return append(lines, look.Paragraph(sc, draw.Plain, "Aspect has sent no message.", w, 1)...)
	case len(s.messages) == 0:
		return lines
	case len(v.shown) == 0:
		lines = append(lines, look.Paragraph(sc, draw.Plain, "Nothing matches the filter.", w, 1)...)
	}
	if h > 5 {
		l := draw.NewLine(sc.Theme, w).Space(2).Put(draw.Plain, v.summary())
		if age := ", told " + draw.Since(s.read, sc.At) + " ago"; len(age) <= l.Free {
			l.Put(draw.Dim, age)
		}
		lines = append(lines, l.String())
	}
	if h > 3 {
		c := deliveryColumns(w)
		lines = append(lines, c.drawTitles(sc, w))
	}
	return lines
}

// deliveryCols is the layout of the list, 0 for a column that had to give way.
type deliveryCols struct {
	status, here, task, kind, id int
}

func deliveryColumns(w int) deliveryCols {
	c := deliveryCols{status: 11, here: 18, task: 10, kind: 16, id: 12}
	used := func() int { return 2 + draw.ClockWidth + 1 + c.status + c.here + c.task + c.kind + c.id }
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

func (c *deliveryCols) drawTitles(sc *screen.Screen, w int) string {
	l := draw.NewLine(sc.Theme, w).Space(2).Cell(draw.Dim, "SENT", draw.ClockWidth).Space(1)
	for _, col := range []struct {
		name string
		w    int
	}{{"STATUS", c.status}, {"HERE", c.here}, {"TASK", c.task}, {"TYPE", c.kind}, {"MESSAGE", c.id}} {
		if col.w > 0 {
			l.Cell(draw.Dim, col.name, col.w-1).Space(1)
		}
	}
	return l.String()
}

func (v *Deliveries) drawRow(sc *screen.Screen, c *deliveryCols, row, w int) string {
	i := v.shown[row]
	msg, h := &v.sent.messages[i], v.joined[i]
	l := draw.NewLine(sc.Theme, w)
	if l.Selected = row == v.rows.Cursor; l.Selected {
		l.Put(draw.Accent, draw.GlyphCursor)
	}
	l.To(2)
	l.Put(draw.Dim, draw.Clock(msg.Time)).Space(1)
	sign, word, r := statusWord(v.sent.status(i))
	l.Cell(r, sign+" "+word, c.status-1).Space(1)
	here, r := h.words()
	l.Cell(r, here, c.here-1).Space(1)
	if c.task > 0 {
		id := ""
		if a := sc.Log.Row(h.row.Seq); h.is == hereArrived && a != nil && a.Task != nil {
			id = draw.Short(a.Task.ID, c.task-1)
		}
		l.Cell(draw.Plain, id, c.task-1).Space(1)
	}
	if c.kind > 0 {
		l.Cell(draw.Plain, msg.EventType, c.kind-1).Space(1)
	}
	if c.id > 0 {
		l.Cell(draw.Dim, msg.ID, c.id)
	}
	return l.String()
}
