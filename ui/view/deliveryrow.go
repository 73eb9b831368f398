package view

import (
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/ui/screen"
	"aspectop/words"
)

func (v *Deliveries) Draw(sc *screen.Screen, w, h int) []string {
	if sc.API == nil {
		return drawNoKey(sc, w, h)
	}
	table := v.table(sc, w)
	return draw.PadHeight(sc.Theme, v.drawRows(v.drawHead(sc, w, h), h, func(id string, selected bool) string {
		return table.Row(sc.Theme, w, v.place[id], selected)
	}), w, h)
}

// drawNoKey says what would be here and how to get it.
func drawNoKey(sc *screen.Screen, w, h int) []string {
	var lines []string
	if h > 8 {
		lines = append(lines, draw.Blank(sc.Theme, w))
	}
	say := func(r draw.Role, s string) { lines = append(lines, render.Paragraph(sc, r, s, w, h)...) }
	say(draw.Plain, "What Aspect says it sent, next to what arrived here.")
	say(draw.Dim, "One row per webhook message: when Aspect sent it, whether Svix delivered it, and whether it arrived here. "+
		"Opening one shows every delivery attempt with its response code.")
	lines = append(lines, draw.Blank(sc.Theme, w))
	say(draw.Dim, "This needs an API key:")
	say(draw.Accent, "  ASPECT_API_KEY=sk_… aspectop watch")
	lines = append(lines, draw.Blank(sc.Theme, w), draw.NewLine(sc.Theme, w).Space(2).Put(draw.Accent, "3").Put(draw.Dim, " shows every delivery that arrived here.").String())
	return draw.PadHeight(sc.Theme, lines, w, h)
}

// drawHead tells how asking Aspect went, and the titles of the columns.
func (v *Deliveries) drawHead(sc *screen.Screen, w, h int) []string {
	var lines []string
	s := &v.sent
	if s.failure != "" {
		lines = render.Paragraph(sc, draw.Bad, "Aspect's API failed: "+s.failure, w, max(1, h/2))
		if h > 5 {
			lines = append(lines, render.Paragraph(sc, draw.Dim, "Press R to retry now; otherwise the next try is within "+words.Ago(sentEvery)+".", w, 1)...)
		}
	}
	switch {
	case s.read.IsZero() && s.failure == "":
		return append(lines, render.Paragraph(sc, draw.Dim, "Asking Aspect what it sent "+draw.GlyphEllipsis, w, 1)...)
	case len(s.messages) == 0 && s.failure == "":
		return append(lines, render.Paragraph(sc, draw.Plain, "Aspect has sent no message.", w, 1)...)
	case len(s.messages) == 0:
		return lines
	case v.rows.Len() == 0:
		lines = append(lines, render.Paragraph(sc, draw.Plain, "Nothing matches the filter.", w, 1)...)
	}
	if h > 5 {
		l := draw.NewLine(sc.Theme, w).Space(2).Put(draw.Plain, v.summary())
		if age := ", told " + words.Since(s.read, sc.At) + " ago"; len(age) <= l.Free {
			l.Put(draw.Dim, age)
		}
		lines = append(lines, l.String())
	}
	if h > 3 {
		lines = append(lines, v.table(sc, w).Head(sc.Theme, w))
	}
	return lines
}

// table lays the list out for the width; its rows are places of messages.
func (v *Deliveries) table(sc *screen.Screen, w int) draw.Table[int] {
	table := draw.Table[int]{
		{Title: "SENT", Sizes: []draw.Size{draw.Whole(0, draw.ClockWidth+1)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Dim, draw.Clock(v.sent.messages[i].Time), w)
		}},
		{Title: "STATUS", Sizes: []draw.Size{draw.Whole(0, 11)}, Draw: func(l *draw.Line, i, w int) {
			sign, word, r := statusWord(v.sent.status(i))
			l.Cell(r, sign+" "+word, w)
		}},
		{Title: "HERE", Sizes: []draw.Size{draw.Part(1, 18)}, Draw: func(l *draw.Line, i, w int) {
			here, r := v.joined[i].words()
			l.Cell(r, here, w)
		}},
		{Title: "TASK", Sizes: []draw.Size{draw.Whole(4, 10)}, Draw: func(l *draw.Line, i, w int) {
			h := v.joined[i]
			if a := sc.Log.Row(h.row.Seq); h.is == hereArrived && a != nil && a.Task != nil {
				l.Cell(draw.Plain, draw.Short(a.Task.ID, w), w)
			}
		}},
		{Title: "TYPE", Sizes: []draw.Size{draw.Whole(3, 16)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Plain, v.sent.messages[i].EventType, w)
		}},
		{Title: "MESSAGE", Sizes: []draw.Size{draw.Whole(2, 12), draw.Part(5, 33)}, Draw: func(l *draw.Line, i, w int) {
			l.Cell(draw.Dim, v.sent.messages[i].ID, w)
		}},
	}
	table.Arrange(w + 1) // no blank behind the last one
	return table
}
