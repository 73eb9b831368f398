package ui

import (
	"fmt"
	"strings"
	"time"

	"aspectop/model"
)

// drawHeader draws the two lines at the top: what is connected, in words, and
// what was counted.
func (m *Model) drawHeader() []string {
	return []string{m.drawConnection(), m.drawCounters()}
}

func (m *Model) drawConnection() string {
	l := newLine(m.th, m.w).put(accent, "aspectop").space(2)
	switch {
	case m.trouble != "":
		l.put(bad, glyphDown+" "+m.trouble)
	case m.opt.Receiver == "":
		l.put(waiting, glyphDown+" viewing").put(dim, " "+m.opt.JournalPath+", not receiving: refusals are not shown")
	default:
		l.put(good, glyphLive).put(plain, " receiving").put(dim, " on ").put(plain, m.shownURL())
	}
	if n := len(m.opt.Secrets); n > 0 {
		label := "  secret "
		if n > 1 {
			label = "  secrets "
		}
		l.put(dim, label).put(plain, strings.Join(m.opt.Secrets, ", "))
	}
	return l.String()
}

func (m *Model) shownURL() string {
	if m.hidden {
		return "(hidden)"
	}
	return m.opt.Receiver
}

func (m *Model) drawCounters() string {
	l := newLine(m.th, m.w)
	if m.loading && m.seen > 0 {
		m.drawLoading(l)
	}
	l.put(strong, fmt.Sprint(m.board.Len())).put(dim, plural(m.board.Len(), " task", " tasks"))
	for _, s := range []model.State{model.Processing, model.Queued, model.Completed, model.Failed, model.Cancelled} {
		if n := m.board.Count(s); n > 0 {
			l.put(plain, "  ").put(stateRole(s), fmt.Sprintf("%s%d", glyph(s), n))
			if m.w >= 110 {
				l.put(dim, " "+string(s))
			}
		}
	}
	if m.w >= 60 {
		l.put(faint, " "+glyphWall+" ")
		l.put(plain, fmt.Sprint(m.run.verified)).put(dim, " verified")
		m.counter(l, m.run.rejected, " rejected", bad)
		m.counter(l, m.run.duplicate, " dup", warn)
		m.counter(l, m.run.late, " late", warn)
	}
	m.drawRate(l)
	return l.String()
}

func (m *Model) counter(l *line, n int, label string, r role) {
	if n == 0 {
		r = dim
	}
	l.put(plain, " ").put(r, fmt.Sprint(n)).put(dim, label)
}

func (m *Model) drawLoading(l *line) {
	const w = 10
	done := 0
	if all := m.seen - m.first + 1; all > 0 {
		done = int((m.seen + 1 - m.oldest) * w / all)
	}
	l.put(busy, repeat(glyphFull, done)).put(faint, repeat(glyphEmpty, w-done))
	l.put(dim, " reading history").put(faint, " "+glyphWall+" ")
}

// drawRate draws the rate of the last minute, and when the last event came: a
// quiet line must not look like a live one.
func (m *Model) drawRate(l *line) {
	counts := m.run.rate.last(m.at, 12)
	sum, most := 0, 1
	for _, n := range counts {
		sum += n
		most = max(most, n)
	}
	quiet := ""
	switch {
	case m.run.last.IsZero() && m.opt.Receiver != "":
		quiet = "nothing yet for " + ago(m.at.Sub(m.run.started))
	case m.run.last.IsZero():
	case m.at.Sub(m.run.last) > 10*time.Second:
		quiet = "last event " + ago(m.at.Sub(m.run.last)) + " ago"
	}
	if quiet != "" {
		l.put(faint, " "+glyphWall+" ").put(warn, quiet)
		return
	}
	if m.run.last.IsZero() || l.free < 24 {
		return
	}
	l.put(faint, " "+glyphWall+" ").put(plain, fmt.Sprintf("%.1f/s ", float64(counts[10]+counts[11])/10))
	for _, n := range counts {
		l.put(busy, glyphSpark[n*(len(glyphSpark)-1)/most])
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
