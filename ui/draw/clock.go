package draw

import (
	"time"

	"aspectop/words"
)

// Clock is a time of day in the local zone; ClockWidth is its width.
func Clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.Local().Format(time.TimeOnly)
}

const ClockWidth = len("15:04:05")

// DayClock is a time of day with the day unless that is today, at most DayWidth wide.
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

// Moment is a time of day, with the date unless it is today, and how long ago it was.
func Moment(t, now time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	told := Clock(t)
	if !SameDay(t, now) {
		told = t.Local().Format(time.DateTime)
	}
	if t.After(now.Add(time.Second)) {
		return told + ", in " + words.Ago(t.Sub(now)) // clocks differ
	}
	return told + ", " + words.Ago(now.Sub(t)) + " ago"
}

// Stamp is a moment to the millisecond, in the local zone.
func Stamp(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}

// Short is an id cut to w cells; of a UUID the first eight characters are enough.
func Short(id string, w int) string {
	if len(id) == 36 && w < 36 {
		return id[:min(8, max(0, w))]
	}
	return id
}
