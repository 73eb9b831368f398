package printer

import "time"

// rejectedPerSecond is the maximum number of rejected lines per second: anybody can
// cause them.
const rejectedPerSecond = 50

// readStatus prints what is new in the status log, and how many rejected lines were
// omitted in the last second.
func (p *printer) readStatus() {
	now := p.Now()
	p.skipped(now, p.limit.over(now))
	if p.Status == nil {
		return
	}
	entries, lost, next := p.Status.After(p.status)
	p.status = next
	// Those overwritten before they were read are taken for rejected requests: notices
	// are rare.
	p.tally.rejected += lost
	if p.Filter.Empty() {
		p.limit.skip(now, lost)
	}
	for i := range entries {
		s := &entries[i]
		switch {
		case s.Rejected != nil:
			p.tally.rejected++
			if p.Filter.MatchRejected(s.Rejected, nil) && p.limit.allow(now) {
				p.lines.rejected(s.At, s.Rejected)
			}
		case s.Viewer != nil:
			p.lines.viewer(s.At, s.Viewer)
		case s.Pos <= p.PrintAfter:
		case s.Tunnel != nil:
			p.lines.tunnel(s.At, s.Tunnel)
		case s.Forward != nil:
			p.lines.forward(s.At, s.Forward)
		case s.Notice != "":
			p.lines.notice(s.At, s.Notice)
		}
	}
}

func (p *printer) skipped(now time.Time, count int64) {
	if count > 0 {
		p.lines.skipped(now, count)
	}
}

// limit lets a number of lines through in each second and counts the others.
type limit struct {
	began   time.Time
	lines   int
	skipped int64
}

// over starts a new second if the current one is over, and returns how many lines that
// omitted.
func (l *limit) over(now time.Time) (skipped int64) {
	if now.Sub(l.began) < time.Second {
		return 0
	}
	return l.rest()
}

func (l *limit) rest() (skipped int64) {
	skipped = l.skipped
	*l = limit{}
	return skipped
}

// due fires at the end of a second that omitted lines; nil if it omitted none.
func (l *limit) due(now time.Time) <-chan time.Time {
	if l.skipped == 0 {
		return nil
	}
	return time.After(l.began.Add(time.Second).Sub(now))
}

func (l *limit) begin(now time.Time) {
	if l.began.IsZero() {
		l.began = now
	}
}

func (l *limit) allow(now time.Time) bool {
	l.begin(now)
	if l.lines == rejectedPerSecond {
		l.skipped++
		return false
	}
	l.lines++
	return true
}

func (l *limit) skip(now time.Time, count int64) {
	if count > 0 {
		l.begin(now)
		l.skipped += count
	}
}
