package ui

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/words"
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
func (m *Model) widest(content func(*draw.Line, detailLevel)) string {
	for level := full; ; level-- {
		l := draw.NewLine(m.Theme, m.W)
		if content(l, level); level == brief || !l.Cut {
			return l.String()
		}
	}
}

func (m *Model) connection(l *draw.Line, level detailLevel) {
	l.Put(draw.Accent, "aspectop").Space(2)
	if n := len(m.Viewers()); n > 0 {
		l.Put(draw.Strong, fmt.Sprint(n)).Put(draw.Dim, " watching").Space(2)
	}
	switch {
	case m.Trouble() != "":
		l.Put(draw.Bad, draw.GlyphDown+" "+m.Trouble())
		return
	case m.Receiver == "" && !m.onlyViews():
		if len(m.Failing()) > 0 {
			l.Put(draw.Bad, draw.GlyphDown)
		} else {
			l.Put(draw.Good, draw.GlyphLive)
		}
		l.Put(draw.Plain, " "+strings.Join(m.Sources(), ", "))
		return
	case m.Receiver == "":
		l.Put(draw.Waiting, draw.GlyphDown+" viewing").Put(draw.Dim, " "+m.JournalPath)
		if level > brief {
			l.Put(draw.Dim, ", read-only: rejected requests are not shown")
		}
		return
	}
	if m.Tunnel() != nil {
		m.drawTunnel(l, level)
	} else if l.Put(draw.Good, draw.GlyphLive).Put(draw.Plain, " receiving"); level > brief {
		l.Put(draw.Dim, " on ").Put(draw.Plain, m.shownURL())
	} else {
		l.Put(draw.Plain, " "+m.shownHost())
	}
	for _, name := range m.Failing() { // notices say why
		l.Put(draw.Bad, "  "+draw.GlyphDown+" "+name+" fails")
	}
	if n := len(m.Secrets); n > 0 && level > brief {
		l.Put(draw.Dim, words.Plural(n, "  secret ", "  secrets "))
		if level == full {
			l.Put(draw.Plain, strings.Join(m.Secrets, ", "))
		} else {
			l.Put(draw.Plain, fmt.Sprint(n))
		}
	}
	if m.Endpoint != nil && level == full && !m.Masked {
		l.Put(draw.Dim, "  "+m.Endpoint())
	}
}

// drawTunnel tells how the receiver is reached from outside, in words.
func (m *Model) drawTunnel(l *draw.Line, level detailLevel) {
	t := *render.Tunnel(m.Screen, m.Tunnel())
	if t.State != model.TunnelConnected {
		t.PublicURL = ""
	} else if t.Detail, t.NextTry = "", (time.Time{}); level == brief {
		t.PublicURL = hostOf(t.PublicURL)
	}
	told, r, sign := words.Tunnel(&t, m.At), words.TunnelRole(&t), draw.GlyphDown
	if r == draw.Good {
		if sign = draw.GlyphLive; level == brief {
			told = told[:len(told)-1] // how long the probe took
		}
	}
	l.Put(r, sign+" ").PutAll(told)
}

func (m *Model) shownURL() string { return m.Shown(m.Receiver) }

func (m *Model) shownHost() string {
	if m.Masked {
		return ""
	}
	return "on " + hostOf(m.Receiver)
}

// hostOf is a URL's host and port; a text that is no URL is left as it is.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host
}

func (m *Model) counters(l *draw.Line, level detailLevel) {
	wall := func() { l.Put(draw.Faint, " "+draw.GlyphWall+" ") }
	if m.Loading() {
		m.drawLoading(l, level)
		wall()
	}
	l.Put(draw.Strong, fmt.Sprint(m.Board.Len())).Put(draw.Dim, words.Plural(m.Board.Len(), " task", " tasks"))
	for _, s := range model.CountedStates() {
		n := m.Board.Count(s)
		if n == 0 {
			continue
		}
		r := draw.StateRole(s)
		if s == model.Failed {
			r = draw.Alarm
		}
		l.Put(draw.Plain, "  ").Put(r, fmt.Sprintf("%s%d", draw.Glyph(s), n))
		if level == full {
			l.Put(draw.Dim, " "+string(s))
		} else {
			l.Put(draw.Dim, draw.Letter(s))
		}
	}
	if m.stalled > 0 {
		l.Put(draw.Plain, "  ").Put(draw.Alert, fmt.Sprintf("%d stalled", m.stalled))
	}
	wall()
	if level > brief {
		m.drawVerdicts(l, level)
		wall()
	} else if m.Board.Counters().Rejected > 0 {
		l.Put(draw.Bad, fmt.Sprint(m.Board.Counters().Rejected)).Put(draw.Dim, " rejected")
		wall()
	}
	m.drawRate(l, level)
}

// drawJournal counts what is in the journal, for a screen that only views it, and
// what was added since.
func (m *Model) drawJournal(l *draw.Line) {
	n, c := m.Feed.Index().Len(), m.Board.Counters()
	l.Put(draw.Strong, fmt.Sprint(n)).Put(draw.Dim, words.Plural(n, " delivery", " deliveries")+" in the journal")
	if added := c.Verified + c.Duplicate; added > 0 {
		l.Put(draw.Plain, "  ").Put(draw.Good, fmt.Sprint(added)).Put(draw.Dim, " new")
	}
}

// drawForwards counts what forwarding gave up and what it has still to send.
func (m *Model) drawForwards(l *draw.Line) {
	gaveUp, waiting := 0, 0
	for _, q := range m.Queues() {
		gaveUp += q.GaveUp
		waiting += q.Waiting + q.InFlight + q.Retrying
	}
	if gaveUp > 0 {
		l.Put(draw.Plain, "  ").Put(draw.Bad, fmt.Sprint(gaveUp)).Put(draw.Dim, " given up")
	}
	if waiting > 0 {
		l.Put(draw.Plain, "  ").Put(draw.Warn, fmt.Sprint(waiting)).Put(draw.Dim, " to forward")
	}
}

// onlyViews reports whether only other processes write the journal.
func (m *Model) onlyViews() bool { return m.Receiver == "" && len(m.Sources()) == 0 }

// drawVerdicts counts what came in this run, by what the receiver found.
func (m *Model) drawVerdicts(l *draw.Line, level detailLevel) {
	if m.onlyViews() {
		m.drawJournal(l)
		return
	}
	labels := []string{" verified", " rejected", " duplicate", " late"}
	if level < full {
		labels = []string{" ok", " rejected", " dup", " late"}
	}
	roles := []draw.Role{draw.Good, draw.Bad, draw.Warn, draw.Warn}
	for i, n := range []int{m.Board.Counters().Verified, m.Board.Counters().Rejected, m.Board.Counters().Duplicate, m.Board.Counters().Late} {
		if i > 0 {
			l.Put(draw.Plain, "  ")
		}
		r := roles[i]
		if n == 0 {
			r = draw.Dim
		}
		l.Put(r, fmt.Sprint(n)).Put(draw.Dim, labels[i])
	}
	if m.Board.Counters().Lost > 0 {
		l.Put(draw.Warn, fmt.Sprintf("  %d not shown", m.Board.Counters().Lost))
	}
	m.drawForwards(l)
}

func (m *Model) drawLoading(l *draw.Line, level detailLevel) {
	const w = 10
	done, percent := 0, 0
	if _, folded, all := m.Feed.Loading(); all > 0 {
		done, percent = int(folded*w/all), int(folded*100/all)
	}
	if level > brief {
		l.Put(draw.Busy, draw.Repeat(draw.GlyphThick, done)).Put(draw.Faint, draw.Repeat(draw.GlyphEmpty, w-done)).Put(draw.Dim, " reading history")
	}
	l.Put(draw.Dim, fmt.Sprintf(" %d%%", percent))
}

// drawRate draws the rate of the last minute, or since when nothing came.
func (m *Model) drawRate(l *draw.Line, level detailLevel) {
	switch silent := m.At.Sub(m.Board.Counters().Last); {
	case level == brief && m.Board.Counters().Last.IsZero() && m.Board.Counters().Rejected == 0 && m.Receiver != "":
		l.Put(draw.Warn, "quiet "+words.Ago(m.At.Sub(m.Feed.Started())))
		return
	case m.onlyViews() && m.Feed.Newest().IsZero():
		l.Put(draw.Dim, "no delivery yet")
		return
	case m.onlyViews() && m.At.Sub(m.Feed.Newest()) > quietAfter:
		l.Put(draw.Dim, "last event "+draw.Moment(m.Feed.Newest(), m.At))
		return
	case m.Board.Counters().Last.IsZero() && m.Receiver == "":
		l.Put(draw.Dim, "no event since "+draw.Clock(m.Feed.Started()))
		return
	case m.Board.Counters().Last.IsZero() && m.Board.Counters().Rejected > 0:
		l.Put(draw.Bad, "only rejected requests")
		return
	case m.Board.Counters().Last.IsZero():
		l.Put(draw.Warn, "no event for "+words.Ago(m.At.Sub(m.Feed.Started())))
		return
	case silent > quietAfter:
		l.Put(draw.Warn, "last event "+words.Ago(silent)+" ago")
		return
	}
	counts := m.Board.Counters().LastMinute(m.At)
	most := 1
	for _, n := range counts {
		most = max(most, n)
	}
	l.Put(draw.Plain, fmt.Sprintf("%.1f/s", float64(counts[10]+counts[11])/10))
	if level < usual {
		return
	}
	l.Put(draw.Plain, " ")
	for _, n := range counts {
		l.Put(draw.Busy, draw.GlyphSpark[n*(len(draw.GlyphSpark)-1)/most])
	}
}
