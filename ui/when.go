package ui

import (
	"fmt"
	"time"
)

// ago is a duration in at most five cells: 0s, 59s, 1m05, 2h07, 3d04.
func ago(d time.Duration) string {
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

// since is how long ago t was, "" if t is not known.
func since(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ago(now.Sub(t))
}

// clock is a time of day in the local zone; clockWidth is its width.
func clock(t time.Time) string {
	if t.IsZero() {
		return "--:--:--"
	}
	return t.Local().Format(time.TimeOnly)
}

const clockWidth = len("15:04:05")
