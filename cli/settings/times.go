package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"aspectop/model"
)

// Duration is a duration flag. It also accepts days, such as 30d or 1d12h, and is
// never negative.
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
	bad := fmt.Errorf("%q is not a duration; use the form 90s, 10m, 2h or 30d", text)
	var days time.Duration
	rest := text
	if n, after, ok := strings.Cut(text, "d"); ok {
		d, err := strconv.ParseUint(n, 10, 16) // 65,535 days are longer than any journal
		if err != nil {
			return 0, bad
		}
		days, rest = time.Duration(d)*24*time.Hour, after
	}
	if rest == "" && days > 0 || text == "0" {
		return days, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, bad
	}
	return days + d, nil
}

// Moment is a flag for an instant: a time, or a duration before now.
type Moment struct {
	text string
	At   time.Time
}

func (m *Moment) Type() string   { return "duration or time" }
func (m *Moment) String() string { return m.text }

func (m *Moment) Set(text string) error {
	m.text = text
	if m.At = model.ParseTime(text); !m.At.IsZero() {
		return nil
	}
	d, err := parseSpan(text)
	if err != nil {
		return fmt.Errorf("%q is not a duration, such as 2h or 3d, or a time, such as 2026-01-02T15:04:05Z", text)
	}
	m.At = time.Now().Add(-d)
	return nil
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
