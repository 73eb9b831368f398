package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aspectop/model"
)

// Duration is a duration flag. It also accepts weeks and days, such as 1w, 30d or
// 1d12h, and is never negative.
type Duration time.Duration

func (s *Duration) Type() string { return "duration" }

func (s *Duration) String() string {
	if *s == 0 {
		return "0" // which the help omits as a default
	}
	return time.Duration(*s).String()
}

func (s *Duration) Set(text string) error {
	d, err := parseSpan(text)
	*s = Duration(d)
	return err
}

func parseSpan(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a duration; use the form 90s, 10m, 2h, 30d or 1w", text)
	var long time.Duration
	rest := text
	for _, unit := range []struct {
		name   string
		length time.Duration
		bits   int // of its number; all together fit into a Duration
	}{{"w", 7 * 24 * time.Hour, 12}, {"d", 24 * time.Hour, 15}} {
		if n, after, ok := strings.Cut(rest, unit.name); ok {
			count, err := strconv.ParseUint(n, 10, unit.bits)
			if err != nil {
				return 0, bad
			}
			long, rest = long+time.Duration(count)*unit.length, after
		}
	}
	if rest == "" && long > 0 || text == "0" {
		return long, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, bad
	}
	return long + d, nil
}

// Moment is a flag for an instant: a time, a date, a time of day, or a duration before
// now. What has no zone is in the local one.
type Moment struct {
	text string
	At   time.Time
}

func (m *Moment) Type() string   { return "duration or time" }
func (m *Moment) String() string { return m.text }

func (m *Moment) clear() { *m = Moment{} }

func (m *Moment) Set(text string) (err error) {
	m.text = text
	m.At, err = parseMoment(text, time.Now())
	return err
}

// parseMoment reads a Moment. A date is its midnight, a time of day the last one that
// has passed.
func parseMoment(text string, now time.Time) (time.Time, error) {
	zone := now.Location()
	if at := model.ParseTimeIn(text, zone); !at.IsZero() {
		return at, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return day, nil
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			y, m, d := now.Date()
			at := time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, zone)
			if at.After(now) {
				at = time.Date(y, m, d-1, t.Hour(), t.Minute(), t.Second(), 0, zone)
			}
			return at, nil
		}
	}
	d, err := parseSpan(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a duration, such as 2h, 3d or 1w, or a time, such as 12:00, 2026-01-02 or 2026-01-02T15:04:05Z", text)
	}
	return now.Add(-d), nil
}

// Stamp is a Moment that also accepts Unix seconds.
type Stamp struct{ Moment }

func (s *Stamp) Set(text string) error {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		s.text, s.At = text, time.Unix(seconds, 0)
		return nil
	}
	return s.Moment.Set(text)
}

func (s *Stamp) Type() string { return "time" }
