package ui

import (
	"aspectop/model"
	"aspectop/ui/draw"
)

// drawPreview shows what is selected beside or below the list, in exactly h
// lines of w cells.
func (m *Model) drawPreview(w, h int, right bool) []string {
	s := m.views[m.view].selection(m)
	if right {
		lines := draw.Tall(m.th, m.previewOf(s, w-2, h), w-2, h)
		for i := range lines {
			lines[i] = draw.NewLine(m.th, 2).Put(draw.Faint, draw.GlyphWall).String() + lines[i]
		}
		return lines
	}
	lines := append([]string{m.previewTitle(s, w)}, m.previewOf(s, w, h-1)...)
	return draw.Tall(m.th, lines, w, h)
}

// previewTitle is the line between the list and the preview below it.
func (m *Model) previewTitle(s selection, w int) string {
	l := draw.NewLine(m.th, w).Put(draw.Faint, draw.Repeat(draw.GlyphRule, 2))
	switch {
	case s.sent != "":
		l.Put(draw.Dim, " "+s.sent+" ")
	case s.task != nil:
		l.Put(draw.Dim, " "+draw.Short(s.task.ID(), 8)+" ")
	}
	return l.Put(draw.Faint, draw.Repeat(draw.GlyphRule, l.Free)).String()
}

func (m *Model) previewOf(s selection, w, h int) []string {
	if m.view == viewDeliveries {
		return m.deliveries().drawPreview(m, w, h)
	}
	var lines []string
	if s.row != (rowKey{}) {
		lines = append(m.previewRow(s.row, w), draw.Blank(m.th, w))
	}
	if s.task == nil {
		return lines
	}
	var facts []string
	if s.row == (rowKey{}) {
		facts = m.flow(m.previewFacts(s.task), w)
	}
	return append(lines, m.compose(s.task, facts, w, h)...)
}

// previewFacts are those that a list has no room for.
func (m *Model) previewFacts(t *model.Task) []fact {
	facts := []fact{{"task", t.ID()}, {"asset", draw.OrNone(t.AssetID())}}
	if name := m.assetName(t); name != t.AssetID() {
		facts = append(facts, fact{"name", name})
	}
	return append(facts, fact{"updated", draw.Moment(t.Updated(), m.at)})
}

// previewRow tells in words what a row of the log means.
func (m *Model) previewRow(k rowKey, w int) []string {
	var lines []string
	say := func(name string, r draw.Role, value string) {
		lines = append(lines, draw.NewLine(m.th, w).Cell(draw.Dim, name, 10).Put(r, value).String())
	}
	if k.pos > 0 {
		s := m.log.status(k)
		switch {
		case s == nil:
		case s.Rejected == nil:
			say("notice", draw.Warn, s.Notice)
			say("at", draw.Plain, draw.Moment(s.At, m.at))
		default:
			say("refused", draw.Bad, s.Rejected.Verdict.Detail)
			if s.Rejected.Verdict.Hint != "" {
				say("hint", draw.Warn, s.Rejected.Verdict.Hint)
			}
			say("message", draw.Plain, draw.OrNone(s.Rejected.ID))
			say("received", draw.Plain, draw.Moment(s.At, m.at))
		}
		return lines
	}
	a := m.log.rows[k.seq]
	if u, failed := m.log.unread[k.seq]; a == nil && failed {
		say("row", draw.Warn, u.why)
		return lines
	}
	if a == nil {
		return []string{draw.NewLine(m.th, w).Put(draw.Faint, draw.GlyphEllipsis).String()}
	}
	e := m.explain(a)
	say("type", e.role, a.Type)
	verdict := e.verdict
	if a.secret != "" {
		verdict += ", secret " + a.secret
	}
	say("verdict", draw.Good, verdict)
	say("message", draw.Plain, a.ID)
	say("received", draw.Plain, draw.Moment(a.Received, m.at))
	for _, mark := range e.marks {
		say("mark", draw.Warn, mark)
	}
	for _, f := range m.forwards[a.Seq] {
		r := draw.Bad
		if f.Delivered() {
			r = draw.Good
		}
		say("handler", r, outcome(f))
	}
	if e.text != "" {
		say("meaning", draw.Plain, e.text)
	}
	for i, c := range e.changes {
		if i == maxFeatures {
			break
		}
		l := draw.NewLine(m.th, w).Cell(draw.Dim, map[bool]string{true: "changes"}[i == 0], 10)
		m.putChanges(l, []model.Change{c})
		lines = append(lines, l.String())
	}
	return lines
}
