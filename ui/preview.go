package ui

import "aspectop/model"

// drawPreview shows what is selected beside or below the list, in exactly h
// lines of w cells.
func (m *Model) drawPreview(w, h int, right bool) []string {
	s := m.views[m.view].selection(m)
	if right {
		lines := tall(m.th, m.previewOf(s, w-2, h), w-2, h)
		for i := range lines {
			lines[i] = newLine(m.th, 2).put(faint, glyphWall).String() + lines[i]
		}
		return lines
	}
	lines := append([]string{m.previewTitle(s, w)}, m.previewOf(s, w, h-1)...)
	return tall(m.th, lines, w, h)
}

// previewTitle is the line between the list and the preview below it.
func (m *Model) previewTitle(s selection, w int) string {
	l := newLine(m.th, w).put(faint, repeat(glyphRule, 2))
	switch {
	case s.sent != "":
		l.put(dim, " "+s.sent+" ")
	case s.task != nil:
		l.put(dim, " "+short(s.task.ID(), 8)+" ")
	}
	return l.put(faint, repeat(glyphRule, l.free)).String()
}

func (m *Model) previewOf(s selection, w, h int) []string {
	if m.view == viewDeliveries {
		return m.deliveries().drawPreview(m, w, h)
	}
	var lines []string
	if s.row != (rowKey{}) {
		lines = append(m.previewRow(s.row, w), blank(m.th, w))
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
	facts := []fact{{"task", t.ID()}, {"asset", orNone(t.AssetID())}}
	if name := m.assetName(t); name != t.AssetID() {
		facts = append(facts, fact{"name", name})
	}
	return append(facts, fact{"updated", moment(t.Updated(), m.at)})
}

// previewRow tells in words what a row of the log means.
func (m *Model) previewRow(k rowKey, w int) []string {
	var lines []string
	say := func(name string, r role, value string) {
		lines = append(lines, newLine(m.th, w).cell(dim, name, 10).put(r, value).String())
	}
	if k.pos > 0 {
		s := m.log.status(k)
		switch {
		case s == nil:
		case s.Rejected == nil:
			say("notice", warn, s.Notice)
			say("at", plain, moment(s.At, m.at))
		default:
			say("refused", bad, s.Rejected.Verdict.Detail)
			if s.Rejected.Verdict.Hint != "" {
				say("hint", warn, s.Rejected.Verdict.Hint)
			}
			say("message", plain, orNone(s.Rejected.ID))
			say("received", plain, moment(s.At, m.at))
		}
		return lines
	}
	a := m.log.rows[k.seq]
	if u, failed := m.log.unread[k.seq]; a == nil && failed {
		say("row", warn, u.why)
		return lines
	}
	if a == nil {
		return []string{newLine(m.th, w).put(faint, glyphEllipsis).String()}
	}
	e := m.explain(a)
	say("type", e.role, a.Type)
	verdict := e.verdict
	if a.secret != "" {
		verdict += ", secret " + a.secret
	}
	say("verdict", good, verdict)
	say("message", plain, a.ID)
	say("received", plain, moment(a.Received, m.at))
	for _, mark := range e.marks {
		say("mark", warn, mark)
	}
	for _, f := range m.forwards[a.Seq] {
		r := bad
		if f.Delivered() {
			r = good
		}
		say("handler", r, outcome(f))
	}
	if e.text != "" {
		say("meaning", plain, e.text)
	}
	for i, c := range e.changes {
		if i == maxFeatures {
			break
		}
		l := newLine(m.th, w).cell(dim, map[bool]string{true: "changes"}[i == 0], 10)
		m.putChanges(l, []model.Change{c})
		lines = append(lines, l.String())
	}
	return lines
}
