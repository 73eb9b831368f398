package ui

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"aspectop/model"
)

// quietAfter is how long nothing may come before the header says so: a quiet
// line must not look like a live one.
const quietAfter = 10 * time.Second

// drawHeader draws the two lines at the top: what is connected, in words, and
// what was counted.
func (m *Model) drawHeader() []string {
	return []string{
		m.widest(m.connection),
		m.widest(m.counters),
	}
}

// detailLevel says how much a line may tell; it is tried from the most down.
type detailLevel int

const (
	brief detailLevel = iota
	terse             // no sparkline
	usual
	full
)

// widest draws a line with as much detail as fits.
func (m *Model) widest(draw func(*line, detailLevel)) string {
	for level := full; ; level-- {
		l := newLine(m.th, m.w)
		if draw(l, level); level == brief || !l.cut {
			return l.String()
		}
	}
}

func (m *Model) connection(l *line, level detailLevel) {
	l.put(accent, "aspectop").space(2)
	switch {
	case m.trouble != "":
		l.put(bad, glyphDown+" "+m.trouble)
		return
	case m.opt.Receiver == "" && m.opt.Sources != nil && len(m.opt.Sources()) > 0:
		l.put(good, glyphLive).put(plain, " "+strings.Join(m.opt.Sources(), ", "))
		return
	case m.opt.Receiver == "":
		l.put(waiting, glyphDown+" viewing").put(dim, " "+m.opt.JournalPath)
		if level > brief {
			l.put(dim, ", not receiving: refusals are not shown")
		}
		return
	}
	if m.tunnel != nil {
		m.drawTunnel(l, level)
	} else if l.put(good, glyphLive).put(plain, " receiving"); level > brief {
		l.put(dim, " on ").put(plain, m.shownURL())
	} else {
		l.put(plain, " "+m.shownHost())
	}
	if n := len(m.opt.Secrets); n > 0 && level > brief {
		l.put(dim, plural(n, "  secret ", "  secrets "))
		if level == full {
			l.put(plain, strings.Join(m.opt.Secrets, ", "))
		} else {
			l.put(plain, fmt.Sprint(n))
		}
	}
	if m.opt.Endpoint != nil && level == full && !m.hidden {
		l.put(dim, "  "+m.opt.Endpoint())
	}
}

// drawTunnel tells how the receiver is reached from outside, in words.
func (m *Model) drawTunnel(l *line, level detailLevel) {
	t := m.tunnel
	r, sign := warn, glyphDown
	switch {
	case t.State == model.TunnelFailed, t.Probe != nil && !t.Probe.OK:
		r = bad
	case t.State == model.TunnelConnected && t.Probe != nil:
		r, sign = good, glyphLive
	}
	l.put(r, sign+" tunnel "+string(t.State))
	if t.State == model.TunnelConnected && t.PublicURL != "" {
		address := m.shown(t.PublicURL)
		if level == brief {
			address = hostOf(address)
		}
		l.put(dim, " at ").put(plain, address)
	}
	if t.State != model.TunnelConnected && !t.NextTry.IsZero() {
		l.put(dim, ", next try in "+ago(t.NextTry.Sub(m.at)))
	}
	switch {
	case m.hidden: // reasons may name hosts
	case t.Probe != nil && !t.Probe.OK:
		l.put(bad, ": "+t.Probe.Detail)
	case t.State != model.TunnelConnected && t.Detail != "":
		l.put(r, ": "+t.Detail)
	case t.Probe == nil:
		l.put(warn, ", not yet probed")
	case level > brief:
		l.put(dim, fmt.Sprintf(", probe %d ms", t.Probe.RoundTrip.Milliseconds()))
	}
}

func (m *Model) shownURL() string { return m.shown(m.opt.Receiver) }

// shown is a URL, unless presentation hides it.
func (m *Model) shown(url string) string {
	if m.hidden {
		return "(hidden)"
	}
	return url
}

func (m *Model) shownHost() string {
	if m.hidden {
		return ""
	}
	return "on " + hostOf(m.opt.Receiver)
}

// hostOf is a URL's host and port; a text that is no URL is left as it is.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host
}

func (m *Model) counters(l *line, level detailLevel) {
	wall := func() { l.put(faint, " "+glyphWall+" ") }
	if m.loading && m.seen > 0 {
		m.drawLoading(l, level)
		wall()
	}
	l.put(strong, fmt.Sprint(m.board.Len())).put(dim, plural(m.board.Len(), " task", " tasks"))
	for _, s := range []model.State{model.Processing, model.Queued, model.Completed, model.Failed, model.Cancelled} {
		n := m.board.Count(s)
		if n == 0 {
			continue
		}
		l.put(plain, "  ").put(stateRole(s), fmt.Sprintf("%s%d", glyph(s), n))
		if level == full {
			l.put(dim, " "+string(s))
		} else {
			l.put(dim, letter(s))
		}
	}
	wall()
	if level > brief {
		m.drawVerdicts(l, level)
		wall()
	} else if m.run.rejected > 0 {
		l.put(bad, fmt.Sprint(m.run.rejected)).put(dim, " rejected")
		wall()
	}
	m.drawRate(l, level)
}

// drawVerdicts counts what came in this run, by what the receiver found.
func (m *Model) drawVerdicts(l *line, level detailLevel) {
	labels := []string{" verified", " rejected", " duplicate", " late"}
	if level < full {
		labels = []string{" ok", " rejected", " dup", " late"}
	}
	roles := []role{good, bad, warn, warn}
	for i, n := range []int{m.run.verified, m.run.rejected, m.run.duplicate, m.run.late} {
		if i > 0 {
			l.put(plain, "  ")
		}
		r := roles[i]
		if n == 0 {
			r = dim
		}
		l.put(r, fmt.Sprint(n)).put(dim, labels[i])
	}
	if m.run.lost > 0 {
		l.put(warn, fmt.Sprintf("  %d not shown", m.run.lost))
	}
}

func (m *Model) drawLoading(l *line, level detailLevel) {
	const w = 10
	done, percent := 0, 0
	if all := m.seen - m.first + 1; all > 0 {
		done = int((m.seen + 1 - m.oldest) * w / all)
		percent = int((m.seen + 1 - m.oldest) * 100 / all)
	}
	if level > brief {
		l.put(busy, repeat(glyphThick, done)).put(faint, repeat(glyphEmpty, w-done)).put(dim, " reading history")
	}
	l.put(dim, fmt.Sprintf(" %d%%", percent))
}

// drawRate draws the rate of the last minute, or since when nothing came.
func (m *Model) drawRate(l *line, level detailLevel) {
	switch silent := m.at.Sub(m.run.last); {
	case level == brief && m.run.last.IsZero() && m.run.rejected == 0 && m.opt.Receiver != "":
		l.put(warn, "quiet "+ago(m.at.Sub(m.run.started)))
		return
	case m.run.last.IsZero() && m.opt.Receiver == "":
		l.put(dim, "nothing new")
		return
	case m.run.last.IsZero() && m.run.rejected > 0:
		l.put(bad, "only refusals")
		return
	case m.run.last.IsZero():
		l.put(warn, "no event for "+ago(m.at.Sub(m.run.started)))
		return
	case silent > quietAfter:
		l.put(warn, "last event "+ago(silent)+" ago")
		return
	}
	counts := m.run.rate.last(m.at, 12)
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	l.put(plain, fmt.Sprintf("%.1f/s", float64(counts[10]+counts[11])/10))
	if level < usual {
		return
	}
	l.put(plain, " ")
	for _, n := range counts {
		l.put(busy, glyphSpark[n*(len(glyphSpark)-1)/most])
	}
}

// count is a number with its noun.
func count(n int, one, many string) string { return fmt.Sprint(n) + " " + plural(n, one, many) }

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
