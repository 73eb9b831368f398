package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aspectop/clean"
	"aspectop/model"
)

// What a stranger can make long is cut: a page is to be read.
const (
	longestID   = 80 // characters
	longestWord = 40 // of the name of a feature or a state
)

// words writes text from outside and times for the page.
type words struct {
	zone   *time.Location
	redact bool
	hidden *strings.Replacer // of user ids; nil if nothing is hidden
}

// shortestUser is the least length at which a user's id is looked for outside
// its own place: a shorter one stands in other words by chance.
const shortestUser = 8

// newWords hides the users of the tasks, if anything is to be hidden.
func newWords(o Options, kinds [][]*model.Task) words {
	w := words{zone: o.Now.Location(), redact: o.Redact}
	if !o.Redact {
		return w
	}
	known := map[string]bool{}
	var pairs []string
	for _, tasks := range kinds {
		for _, t := range tasks {
			if user := t.UserID(); len(user) >= shortestUser && !known[user] {
				known[user] = true
				pairs = append(pairs, user, "(hidden)")
			}
		}
	}
	w.hidden = strings.NewReplacer(pairs...)
	return w
}

// aURL is anything with a scheme before two slashes.
var aURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://\S*`)

// text is s from outside as it may stand on the page: cleaned, without what is
// to be hidden, and at most so many characters long.
func (w *words) text(s string, most int) string {
	if most := 16 * most; len(s) > most { // what is cleaned away may be long
		for !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	if w.redact {
		s = w.hidden.Replace(s)
		s = aURL.ReplaceAllString(s, "(hidden)")
	}
	s = clean.Text(s)
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// short is an id as people say it: of a UUID, the eight characters that tell it
// apart well enough.
func (w *words) short(id string) string {
	if len(id) == 36 {
		id = id[:8]
	}
	return w.text(id, 24)
}

// state is a state as it came; one that was not told has a word too.
func (w *words) state(s model.State) string {
	if s == "" {
		return "(none)"
	}
	return w.text(string(s), longestWord)
}

// moment is a time as HTML's time element takes it, without the zone, which the
// page tells once; the zero time is empty.
func (w *words) moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(w.zone).Format(time.DateTime)
}

// class is the style of a state: that of the first one in its role.
func class(s model.State) string {
	i := slices.IndexFunc(model.States, func(other model.StateInfo) bool { return other.Role == s.Info().Role })
	return string(model.States[i].State)
}

// Span is a duration as people say it, in at most two units: 4.2 s, 42 s,
// 1 min 05 s, 30 min, 2 h 07 min, 3 d 4 h.
func Span(d time.Duration) string {
	s := int(d / time.Second) // as on the screen, where 59.9 s is not a minute yet
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f\u00a0s", max(0, d).Truncate(time.Second/10).Seconds())
	case s < 60:
		return fmt.Sprintf("%d\u00a0s", s)
	case s < 3600:
		return units(s/60, "min", "%02d", s%60, "s")
	case s < 86400:
		return units(s/3600, "h", "%02d", s/60%60, "min")
	}
	return units(s/86400, "d", "%d", s/3600%24, "h")
}

// units joins a number of units with one of smaller ones, unless that is 0. A
// line must not end between a number and its unit.
func units(n int, unit, format string, m int, smaller string) string {
	text := fmt.Sprintf("%d\u00a0%s", n, unit)
	if m > 0 {
		text += "\u00a0" + fmt.Sprintf(format, m) + "\u00a0" + smaller
	}
	return text
}
