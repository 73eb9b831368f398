package draw

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

// Since is how long ago t was, "" if t is not known.
func Since(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return Ago(now.Sub(t))
}

// Clock is a time of day in the local zone; ClockWidth is its width.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.Local().Format(time.TimeOnly)
}

const ClockWidth = len("15:04:05")

// DayClock is a time of day, behind its day unless that is today; DayWidth is the
// greatest width of it.
func DayClock(t, now time.Time) string {
	if t.IsZero() || SameDay(t, now) {
		return Clock(t)
	}
	return t.Local().Format("01-02 15:04:05")
}

const DayWidth = len("01-02 15:04:05")

// SameDay reports whether two moments are of one day in the local zone.
func SameDay(a, b time.Time) bool {
	return a.Local().Format(time.DateOnly) == b.Local().Format(time.DateOnly)
}

// Tenths is a duration that need not be exact to the second, in at most five
// cells; below ten seconds it has a tenth.
func Tenths(d time.Duration) string {
	if d < 9950*time.Millisecond {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return Ago(d.Round(time.Second))
}

// Moment is a time of day and how long ago that was, with the date unless it
// is today.
func Moment(t, now time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	t, now = t.Local(), now.Local()
	told := t.Format(time.TimeOnly)
	if t.Format(time.DateOnly) != now.Format(time.DateOnly) {
		told = t.Format(time.DateTime)
	}
	if t.After(now.Add(time.Second)) {
		return told + ", in " + Ago(t.Sub(now)) // clocks differ
	}
	return told + ", " + Ago(now.Sub(t)) + " ago"
}

func OrNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

// Count is a number with its noun.
func Count(n int, one, many string) string { return fmt.Sprint(n) + " " + Plural(n, one, many) }

func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Lasted is the length of a stay that is over; short ones are told to a tenth
// of a second.
func Lasted(d time.Duration) string {
	if d >= 10*time.Second || d%time.Second < 50*time.Millisecond && d >= time.Second || d <= 0 {
		return Ago(d)
	}
	return fmt.Sprintf("%.1fs", max(d.Seconds(), 0.1))
}

// Stamp is a moment to the millisecond, in the local zone.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}

// ShortAgo is a duration without the part that is nought: 30m, 1h, 1h30.
func ShortAgo(d time.Duration) string { return strings.TrimSuffix(Ago(d), "00") }

// Short is an id cut to w cells. The beginning of a UUID tells it apart well
// enough, and needs no ellipsis to say that it goes on.
func Short(id string, w int) string {
	if len(id) == 36 && w < 36 {
		return id[:min(8, max(0, w))]
	}
	return id
}
