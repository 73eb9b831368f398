package ui

import (
	"cmp"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/model"
	"aspectop/ui/draw"
	"aspectop/ui/render"
	"aspectop/words"
)

// quietAfter is how long nothing may come before the header says so.
const quietAfter = 10 * time.Second

func (m *Model) drawHeader() []string {
	return []string{m.widest(m.connection), m.widest(m.counters)}
}

// detailLevel says how much a line may tell; it is tried from the most down.
type detailLevel int

const (
	brief detailLevel = iota
	terse             // states by their signs, and by as many words as there is room for
	lean              // no count of what was forwarded well, beside what was not
	plain             // no sparkline
	usual             // no counts of nothing
	full  = usual + 3 // those of nothing too, one after another
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
	l.Put(draw.Accent, cmp.Or(m.Title, "aspectop")).Space(2)
	if m.Demo {
		l.Put(draw.Warn, "demo").Space(2)
	}
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
		if level > brief && !m.Masked {
			l.Put(draw.Dim, ", read-only")
		}
		return
	}
	if t := m.Feed.Tunnel(); t != nil && (!m.Masked || words.TunnelRole(t) != draw.Good) {
		m.drawTunnel(l, level)
	} else if l.Put(draw.Good, draw.GlyphLive).Put(draw.Plain, " receiving"); m.Masked || m.Demo && level <= terse {
	} else if m.Demo {
		m.drawTries(l)
		return
	} else if level > brief {
		l.Put(draw.Dim, " on ").Put(draw.Plain, m.Receiver)
	} else {
		l.Put(draw.Plain, " on "+hostOf(m.Receiver))
	}
	for _, name := range m.Failing() { // notices say why
		l.Put(draw.Bad, "  "+draw.GlyphDown+" "+name+" fails")
	}
	switch n := len(m.Secrets); {
	case n == 0 || level == brief || m.Masked:
	case level >= full-1:
		l.Put(draw.Dim, words.Plural(n, "  secret ", "  secrets ")).Put(draw.Plain, render.SecretNames(m.Screen))
	default:
		l.Put(draw.Plain, fmt.Sprint("  ", n)).Put(draw.Dim, words.Plural(n, " secret", " secrets"))
	}
	if m.Endpoint != nil && level == full && !m.Masked {
		l.Put(draw.Dim, "  "+m.Endpoint())
	}
}

// drawTries names three things to try in a demo.
func (m *Model) drawTries(l *draw.Line) {
	l.Put(draw.Dim, "  try:")
	tries := [][2]string{{"6", "timeline"}, {"!", "failures"}, {"3 r", "send again"}}
	if m.Remote {
		tries[2] = [2]string{"enter", "open"}
	}
	for _, t := range tries {
		l.Put(draw.Accent, "  "+t[0]).Put(draw.Dim, " "+t[1])
	}
}

func (m *Model) drawTunnel(l *draw.Line, level detailLevel) {
	t := *render.Tunnel(m.Screen, m.Feed.Tunnel())
	if t.State != model.TunnelConnected {
		t.PublicURL = ""
	}
	if m.inTrouble() {
		t.Detail = ""
		if t.Probe != nil && !t.Probe.OK {
			t.Probe = &model.Probe{}
		}
	}
	if t.State == model.TunnelConnected {
		if t.Detail, t.NextTry = "", (time.Time{}); level == brief {
			t.PublicURL = hostOf(t.PublicURL)
		}
	}
	told, r, sign := words.Tunnel(&t, m.At), words.TunnelRole(&t), draw.GlyphDown
	if r == draw.Good {
		if sign = draw.GlyphLive; level == brief {
			told = told[:len(told)-1] // how long the probe took
		}
	}
	l.Put(r, sign+" ").PutAll(told)
}

// inTrouble reports whether the tunnel's trouble has lines of its own, because the first one
// does not hold it.
func (m *Model) inTrouble() bool {
	t := m.Feed.Tunnel()
	if t == nil || m.Receiver == "" || m.Masked || words.TunnelTrouble(t) == "" {
		return false
	}
	line := *t
	line.NextTry = time.Time{} // its seconds would move the lines below
	if line.State != model.TunnelConnected {
		line.PublicURL = ""
	}
	return t.Doubt != "" || ansi.StringWidth("aspectop  ○ "+words.Tunnel(&line, m.At).String()) > m.W-len(", next try in 59m59s")
}

// advice says what is wrong with the tunnel and what to do, in at most the given number of
// lines.
func (m *Model) advice(most int) []string {
	if !m.inTrouble() {
		return nil
	}
	t := m.Feed.Tunnel()
	return render.Wrapped(m.Screen, words.TunnelRole(t), words.TunnelTrouble(t), m.W, m.W, most)
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
	room := 0 // for the words of states, one after another
	switch {
	case level > terse:
		room = math.MaxInt
	case level == terse:
		signs := draw.NewLine(m.Theme, m.W)
		m.drawCounters(signs, level, 0)
		room = signs.Free
	}
	m.drawCounters(l, level, room)
}

func (m *Model) drawCounters(l *draw.Line, level detailLevel, room int) {
	wall := func() { l.Put(draw.Faint, " "+draw.GlyphWall+" ") }
	if m.Loading() {
		m.drawLoading(l, level)
		wall()
	}
	putCount(l, draw.Strong, m.Board.Len(), words.Plural(m.Board.Len(), " task", " tasks"))
	for _, s := range model.CountedStates() {
		n := m.Board.Count(s)
		if n == 0 {
			continue
		}
		r := s.Info().Role
		if s == model.Failed {
			r = draw.Alarm
		}
		l.Put(draw.Plain, "  ").Put(r, fmt.Sprintf("%s%d", s.Info().Sign, n))
		if word := " " + string(s); len(word) <= room {
			l.Put(draw.Dim, word)
			room -= len(word)
		} else if room = 0; m.ASCII || m.Theme.Name == "mono" {
			l.Put(draw.Dim, s.Info().Letter)
		}
	}
	if m.stalled > 0 {
		l.Put(draw.Plain, "  ").Put(draw.Alert, fmt.Sprintf("%d stalled", m.stalled))
	}
	switch all := m.forwards(); {
	case m.Masked: // who is shown the tasks need not see what is wrong with the way here
	case level > brief:
		wall()
		m.drawVerdicts(l, level)
	default: // whole, or not at all
		for i, n := range []int{m.Board.Counters().Rejected, all.Failed + all.GaveUp} {
			if label := []string{" rejected", " not forwarded"}[i]; n > 0 && l.Free >= len(fmt.Sprint(" | ", n, label)) {
				wall()
				putCount(l, draw.Bad, n, label)
			}
		}
	}
	if level > brief || l.Free >= len(" | quiet 59m59") {
		wall()
		m.drawRate(l, level)
	}
}

func putCount(l *draw.Line, r draw.Role, n int, label string) {
	l.Put(r, fmt.Sprint(n)).Put(draw.Dim, label)
}

// drawJournal counts the deliveries in the journal and those added since, for viewers.
func (m *Model) drawJournal(l *draw.Line) {
	n, c := m.Feed.Index().Len(), m.Board.Counters()
	putCount(l, draw.Strong, n, words.Plural(n, " delivery", " deliveries")+" in the journal")
	if added := c.Verified + c.Unsigned + c.Duplicate; added > 0 {
		putCount(l.Put(draw.Plain, "  "), draw.Good, added, " new")
	}
}

// forwards are the counts of all handlers; all that is left is waiting.
func (m *Model) forwards() (all model.Queue) {
	for _, q := range m.Queues() {
		all.Delivered += q.Delivered
		all.Failed += q.Failed
		all.GaveUp += q.GaveUp
		all.Waiting += q.Left()
	}
	return all
}

func (m *Model) drawForwards(l *draw.Line, level detailLevel) {
	all := m.forwards()
	if level <= lean && all.Failed+all.GaveUp > 0 {
		all.Delivered = 0
	}
	for _, c := range []struct {
		r     draw.Role
		n     int
		label string
	}{{draw.Good, all.Delivered, " forwarded"}, {draw.Bad, all.Failed, " refused"}, {draw.Bad, all.GaveUp, " given up"}, {draw.Warn, all.Waiting, " to forward"}} {
		if c.n > 0 {
			putCount(l.Put(draw.Plain, "  "), c.r, c.n, c.label)
		}
	}
}

// onlyViews reports whether only other processes write the journal.
func (m *Model) onlyViews() bool { return m.Receiver == "" && len(m.Sources()) == 0 }

func (m *Model) drawVerdicts(l *draw.Line, level detailLevel) {
	if m.onlyViews() {
		m.drawJournal(l)
		return
	}
	c := m.Board.Counters()
	if n := m.Feed.Index().Len(); level >= usual && n > c.Verified+c.Unsigned+c.Duplicate {
		l.Put(draw.Dim, "this run ") // the tasks are of the whole journal
	}
	labels := []string{" verified", " unsigned", " rejected", " duplicate", " late"}
	roles := []draw.Role{draw.Good, draw.Plain, draw.Bad, draw.Warn, draw.Warn}
	for i, n := range []int{c.Verified, c.Unsigned, c.Rejected, c.Duplicate, c.Late} {
		behind := detailLevel(len(labels) - 1 - i) // how many give way before this one
		if n == 0 && (i == 1 || i > 0 && level < full-behind) {
			continue // unsigned: there is neither a stream nor an API
		}
		if i > 0 {
			l.Put(draw.Plain, "  ")
		}
		if n == 0 {
			roles[i] = draw.Dim
		}
		putCount(l, roles[i], n, labels[i])
	}
	if c.Lost > 0 {
		l.Put(draw.Warn, fmt.Sprintf("  %d not shown", c.Lost))
	}
	m.drawForwards(l, level)
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

// quiet says since when nothing has come; "" if something has.
func (m *Model) quiet(level detailLevel) (draw.Role, string) {
	c, newest := m.Board.Counters(), m.Feed.Newest()
	switch since := words.Ago(m.At.Sub(m.Feed.Started())); {
	case level == brief && c.Last.IsZero() && c.Rejected == 0 && m.Receiver != "":
		return draw.Warn, "quiet " + since
	case m.onlyViews() && newest.IsZero():
		return draw.Dim, "no delivery yet"
	case m.onlyViews() && m.At.Sub(newest) > quietAfter:
		return draw.Dim, "last event " + draw.Moment(newest, m.At)
	case c.Last.IsZero() && m.Receiver == "":
		return draw.Dim, "no event since " + draw.Clock(m.Feed.Started())
	case c.Last.IsZero() && c.Rejected > 0:
		return draw.Bad, "only rejected requests"
	case c.Last.IsZero():
		return draw.Warn, "no event for " + since
	case m.At.Sub(c.Last) > quietAfter:
		return draw.Warn, "last event " + words.Ago(m.At.Sub(c.Last)) + " ago"
	}
	return 0, ""
}

// drawRate draws the rate of the last minute, or since when nothing came.
func (m *Model) drawRate(l *draw.Line, level detailLevel) {
	if r, told := m.quiet(level); told != "" {
		l.Put(r, told)
		return
	}
	counts := m.Board.Counters().LastMinute(m.At)
	most := max(1, slices.Max(counts))
	l.Put(draw.Plain, fmt.Sprintf("%.1f/s", float64(counts[10]+counts[11])/10))
	if level < usual {
		return
	}
	l.Put(draw.Plain, " ")
	for _, n := range counts {
		l.Put(draw.Busy, draw.GlyphSpark[n*(len(draw.GlyphSpark)-1)/most])
	}
}
