package cli

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"aspectop/check"
	"aspectop/clean"
	"aspectop/cli/terminal"
	"aspectop/words"
)

// printProbe prints a line of JSON.
func printProbe(p check.Probe) error {
	o := newLine("probe")
	o.Number("n", int64(p.N))
	o.Text("name", p.Name)
	o.Bool("valid", p.Valid)
	if p.Status == 0 {
		o.Null("status")
	} else {
		o.Number("status", int64(p.Status))
	}
	o.Number("ms", p.Took.Milliseconds())
	o.Bool("accepted", p.Accepted)
	o.Text("answer", p.Answer)
	return printResult(true, o, "")
}

// printFindings prints the findings and the end as lines of JSON.
func printFindings(r *check.Report) error {
	count := map[check.Severity]int64{}
	for _, f := range r.Findings {
		count[f.Severity]++
		o := newLine("finding")
		o.Text("code", f.Code)
		o.TextOrNull("form", f.Form)
		o.Text("severity", string(f.Severity))
		o.Open("evidence", '[')
		for _, n := range f.Evidence {
			o.Next()
			*o = fmt.Append(*o, n)
		}
		o.End(']')
		o.Text("meaning", f.Title+": "+meaning(f))
		o.Text("fix", f.Fix)
		o.Text("url", f.URL)
		if err := printResult(true, o, ""); err != nil {
			return err
		}
	}
	o := newLine("end")
	o.Number("probes", int64(r.Probes))
	o.Number("valid", int64(r.Valid))
	o.Open("findings", '{')
	for _, s := range check.Severities {
		if count[s] > 0 {
			o.Number(string(s), count[s])
		}
	}
	o.End('}')
	o.Bool("complete", r.Complete())
	return printResult(true, o, "")
}

// meaning is what a finding means, and what the handler says.
func meaning(f *check.Finding) string {
	if f.Said == "" {
		return f.Meaning
	}
	return f.Meaning + ". The handler says: " + f.Said
}

// checkText is the report for people. Text from outside in it is clean.
func checkText(r *check.Report, code int) string {
	var b strings.Builder
	width := max(60, min(terminal.Width(), 110))
	line := func(sign, text, detail string) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-7s %-58s %s", sign, text, detail), " ") + "\n")
	}
	field := func(name, text string) {
		const indent = 19
		lines := strings.Split(ansi.Wordwrap(text, width-indent, ""), "\n")
		fmt.Fprintf(&b, "          %-8s %s\n", name, strings.Join(lines, "\n"+strings.Repeat(" ", indent)))
	}
	problems, skipped, why := 0, 0, ""
	skips := func() { // what is skipped for one reason stands on one line
		if skipped > 1 {
			line("skip", fmt.Sprintf("%d other properties", skipped), why)
		}
		skipped = 0
	}
	for i, o := range r.Outcomes {
		found := r.Of(o.Property)
		if len(found) == 0 && o.Skipped != "" {
			alone := o.Skipped != why && (i+1 == len(r.Outcomes) || r.Outcomes[i+1].Skipped != o.Skipped)
			if o.Skipped != why {
				skips()
			}
			if skipped, why = skipped+1, o.Skipped; alone {
				line("skip", o.Property, o.Skipped)
			}
			continue
		}
		skips()
		why = ""
		if len(found) == 0 {
			line("ok", o.Property, o.Detail)
		}
		for _, f := range found {
			sign := string(f.Severity)
			if f.Bad() {
				sign = strings.ToUpper(sign)
				problems++
			}
			line(sign, f.Title, "")
			if f.Said != "" {
				field("says", f.Said)
			}
			numbers := strings.Trim(fmt.Sprint(f.Evidence), "[]")
			if numbers != "" {
				numbers = " (requests " + numbers + ")"
			}
			field("means", f.Meaning+numbers)
			field("fix", f.Fix)
			field("more", f.URL)
		}
	}
	skips()
	if r.Posted > 0 {
		fmt.Fprintf(&b, "\nonly you can see whether the work was done once: %s was posted %d times\n", r.Watched, r.Posted)
	}
	fmt.Fprintf(&b, "\n%d %s (%d valid). %d %s. Exit code %d.", r.Probes, words.Plural(r.Probes, "request", "requests"), r.Valid,
		problems, words.Plural(problems, "problem", "problems"), code)
	return b.String()
}

// junitCase is one property.
type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Failure *junitText `xml:"failure,omitempty"`
	Skipped *junitText `xml:"skipped,omitempty"`
	Out     string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// writeJUnit writes a test case for each property.
func writeJUnit(path string, u *url.URL, r *check.Report) error {
	suite := struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		At       string      `xml:"timestamp,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}{Name: "aspectop check " + clean.URL(u.String()), At: time.Now().UTC().Format(time.RFC3339)}
	for _, o := range r.Outcomes {
		c := junitCase{Class: "aspectop.check", Name: o.Property, Out: o.Detail}
		for _, f := range r.Of(o.Property) {
			text := fmt.Sprintf("%s: %s\n%s\nfix: %s\n%s\n", f.Severity, f.Title, meaning(f), f.Fix, f.URL)
			if !f.Bad() {
				c.Out += text
			} else if c.Failure == nil {
				c.Failure = &junitText{f.Code, f.Title, text}
			} else {
				c.Failure.Text += text
			}
		}
		if c.Failure == nil && c.Out == "" && o.Skipped != "" {
			c.Skipped = &junitText{Message: o.Skipped}
			suite.Skipped++
		}
		suite.Tests++
		if c.Failure != nil {
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append([]byte(xml.Header), append(text, '\n')...), 0o644)
}
