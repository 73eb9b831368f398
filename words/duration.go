package words

import (
	"fmt"
	"strings"
	"time"
)

// Ago is a duration in at most five cells: 0s, 59s, 1m05, 2h07, 3d04.
func Ago(d time.Duration) string {
	s := int(max(0, d) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02d", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh%02d", s/3600, s/60%60)
	case s < 100*86400:
		return fmt.Sprintf("%dd%02d", s/86400, s/3600%24)
	}
	return fmt.Sprintf("%dd", min(s/86400, 9999))
}

// ShortAgo is Ago without the part that is nought: 30m, 1h, 1h30.
func ShortAgo(d time.Duration) string { return strings.TrimSuffix(Ago(d), "00") }

// Since is how long ago t was, "" for the zero time.
func Since(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Ago(now.Sub(t))
}

// Remaining is Ago for an estimate of the time left, which may have run out.
func Remaining(left time.Duration) string {
	switch {
	case left <= 0:
		return "overdue"
	case left < time.Second:
		return "soon"
	}
	return Ago(left)
}

// Lasted is Ago for a time that is over, below ten seconds with a tenth unless that is 0.
func Lasted(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second < 50*time.Millisecond && d >= time.Second || d <= 0 {
		return Ago(d)
	}
	return fmt.Sprintf("%.1fs", max(d.Seconds(), 0.1))
}

// Tenths is Ago for an estimate: rounded, and below ten seconds with a tenth.
func Tenths(d time.Duration) string {
	if d < 9950*time.Millisecond {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Ago(d.Round(time.Second))
}

// Span is a duration in at most two units: 4.2 s, 42 s, 1 min 05 s, 30 min, 2 h 07 min,
// 3 d 4 h.
func Span(d time.Duration) string {
	s := int(d / time.Second) // as on the screen, where 59.9 s is not a minute yet
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", max(0, d).Truncate(time.Second/10).Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return units(s/60, "min", "%02d", s%60, "s")
	case s < 86400:
		return units(s/3600, "h", "%02d", s/60%60, "min")
	}
	return units(s/86400, "d", "%d", s/3600%24, "h")
}

// units joins a number of units with one of smaller ones, unless that is 0.
func units(n int, unit, format string, m int, smaller string) string {
	text := fmt.Sprintf("%d %s", n, unit)
	if m > 0 {
		text += fmt.Sprintf(" "+format+" %s", m, smaller)
	}
	return text
}

const Day = 24 * time.Hour

// Steps are the distances between marks of an axis of time that people read easily.
var Steps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	Day, 2 * Day, 5 * Day, 10 * Day, 30 * Day, 100 * Day, 365 * Day, 3650 * Day, 36500 * Day,
}
