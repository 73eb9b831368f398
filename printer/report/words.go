package report

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/words"
)

// What a stranger can make long is cut: a page is to be read.
const (
	longestID   = 80 // characters
	longestWord = 40 // of the name of a feature or a state
)

// wording writes text from outside and times for the page.
type wording struct {
	zone   *time.Location
	redact bool
	hidden *strings.Replacer // of user ids; nil if nothing is hidden
}

// shortestUser is the least length at which a user's id is looked for outside
// its own place: a shorter one stands in other words by chance.
const shortestUser = 8

// newWording hides the users of the tasks, if anything is to be hidden.
func newWording(o Options, kinds [][]*model.Task) wording {
	w := wording{zone: o.Now.Location(), redact: o.Redact}
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
func (w *wording) text(s string, most int) string {
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
	return clean.Cut(clean.Text(s), most)
}

// short is an id as people say it: of a UUID, the eight characters that tell it
// apart well enough.
func (w *wording) short(id string) string {
	return w.text(words.ID(id), 24)
}

// state is a state as it came; one that was not told has a word too.
func (w *wording) state(s model.State) string {
	return w.text(s.Word(), longestWord)
}

// moment is a time as HTML's time element takes it, without the zone, which the
// page tells once; the zero time is empty.
func (w *wording) moment(t time.Time) string {
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

// Span is [words.Span] where a line must not end between a number and its unit.
func Span(d time.Duration) string { return strings.ReplaceAll(words.Span(d), " ", "\u00a0") }
