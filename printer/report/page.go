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

	// Script sorts and filters. It is to run when the page is there, and works
	// again on the event aspectop:renewed.
	//
	//go:embed report.js
	Script string
)

var templates = template.Must(template.New("").Parse(pageHTML))

// put fills in one of the templates. They and what they are given are ours, so an
// error is a defect.
func put(out *bytes.Buffer, name string, data any) {
	if err := templates.ExecuteTemplate(out, name, data); err != nil {
		panic(err)
	}
}

// policy lets a page that holds its own style and script use those and nothing
// else, from wherever.
func policy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(Style) + "; script-src " + hash(Script) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}

// top is what stands above the tasks.
type top struct {
	Policy, Version, Title string
	Lead                   []string
	Style                  template.CSS
	Report                 *Report
}

// task is one task in a list, with its details if they are at hand.
type task struct {
	Row    *Row
	Detail *Detail
	Open   bool
}

// bottom is what stands below.
type bottom struct {
	Any    bool // task is listed
	When   string
	Notes  []string
	Script template.JS
}

// Figures is the HTML of what stands first: how many tasks there are, and when
// they ended.
func (r *Report) Figures() template.HTML { return fragment("figures", r) }

// Statistics is the HTML of the tables.
func (r *Report) Statistics() template.HTML { return fragment("statistics", r) }

// Controls is the HTML of what [Script] filters and sorts by. It shows only where
// the script runs.
func Controls() template.HTML { return fragment("controls", nil) }

// HTML of the row, without what it is in.
func (r Row) HTML() template.HTML { return fragment("row", r) }

// HTML of the details.
func (d *Detail) HTML() template.HTML { return fragment("detail", d) }

func fragment(name string, data any) template.HTML {
	var b bytes.Buffer
	put(&b, name, data)
	return template.HTML(b.String())
}
