package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aspectop/clean"
	"aspectop/model"
	"aspectop/words"
)

var (
	//go:embed page.html
	pageHTML string

	// Style is the style sheet of all pages.
	//
	//go:embed report.css
	Style string

	// Script sorts and filters, when the page is loaded and on the event
	// aspectop:renewed.
	//
	//go:embed report.js
	Script string
)

var templates = template.Must(template.New("").Parse(pageHTML))

// put fills in one of the templates. An error is a defect of ours.
func put(out *bytes.Buffer, name string, data any) {
	if err := templates.ExecuteTemplate(out, name, data); err != nil {
		panic(err)
	}
}

// policy lets a page use the style and script in it, and nothing else.
func policy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(Style) + "; script-src " + hash(Script) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

type top struct {
	Policy, Version, Title string
	Lead                   []string
	Style                  template.CSS
	Report                 *Report
	Task                   bool // the page is about one
}

// task is one task in a list; Detail may be nil.
type task struct {
	Row    *Row
	Detail *Detail
	Open   bool
}

type bottom struct {
	Any    bool // task is listed
	When   string
	Notes  []string
	Script template.JS
}

// Figures is the HTML of the counts of tasks, and of when they ended; Statistics that of
// the tables; Controls that of what [Script] filters and sorts by.
func (r *Report) Figures() template.HTML    { return fragment("figures", r) }
func (r *Report) Statistics() template.HTML { return fragment("statistics", r) }
func Controls() template.HTML               { return fragment("controls", nil) }

// HTML is the row without the element around it.
func (r Row) HTML() template.HTML { return fragment("row", r) }

func (d *Detail) HTML() template.HTML { return fragment("detail", d) }

func fragment(name string, data any) template.HTML {
	var b bytes.Buffer
	put(&b, name, data)
	return template.HTML(b.String())
}

// Texts from outside are cut, so that the page stays readable.
const (
	longestID   = 80 // characters
	longestWord = 40 // of the name of a feature or a state
)

type wording struct {
	zone   *time.Location
	hidden *strings.Replacer // of user ids; nil unless the report is private
}

// shortestUser is the least length at which a user's id is also looked for in other
// texts: a shorter one may occur by chance.
const shortestUser = 8

func newWording(o Options, kinds [][]*model.Task) wording {
	w := wording{zone: o.Now.Location()}
	if !o.Private {
		return w
	}
	var users, pairs []string
	for _, t := range slices.Concat(kinds...) {
		if user := t.UserID(); len(user) >= shortestUser {
			users = append(users, user)
		}
	}
	slices.Sort(users)
	for _, user := range slices.Backward(slices.Compact(users)) { // before what it begins with
		pairs = append(pairs, user, "(hidden)")
	}
	w.hidden = strings.NewReplacer(pairs...)
	return w
}

// aURL is anything with a scheme before two slashes.
var aURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://\S*`)

// text is s cleaned, in private without users and URLs, and at most so many characters
// long.
func (w *wording) text(s string, most int) string {
	if most := 16 * most; len(s) > most { // cleaning may remove much
		for !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	if w.hidden != nil {
		s = aURL.ReplaceAllString(w.hidden.Replace(s), "(hidden)")
	}
	return clean.Cut(clean.Text(s), most)
}

func (w *wording) short(id string) string { return w.text(words.ID(id), 24) }

func (w *wording) state(s model.State) string { return w.text(s.Word(), longestWord) }

// moment is a time as HTML's time element takes it, without the zone, which stands at the
// top; the zero time is empty.
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

// Span is [words.Span] without line breaks.
func Span(d time.Duration) string { return strings.ReplaceAll(words.Span(d), " ", "\u00a0") }
