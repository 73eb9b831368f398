package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
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

// top is the page above the tasks.
type top struct {
	Policy, Version, Title string
	Lead                   []string
	Style                  template.CSS
	Report                 *Report
}

// task is one task in a list; Detail may be nil.
type task struct {
	Row    *Row
	Detail *Detail
	Open   bool
}

// bottom is the page below them.
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
