package cli

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"aspectop/check"
	"aspectop/clean"
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
		o.Text("meaning", meaning(f))
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

// checkText is the report for people.
func checkText(r *check.Report) string {
	var b strings.Builder
	line := func(sign, text, detail string) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-7s %-58s %s", sign, text, detail), " ") + "\n")
	}
	for _, o := range r.Outcomes {
		found := r.Of(o.Property)
		for _, f := range found {
			sign := string(f.Severity)
			if f.Severity == check.Fail || f.Severity == check.Danger {
				sign = strings.ToUpper(sign)
			}
			line(sign, f.Title, "")
			numbers := strings.Trim(fmt.Sprint(f.Evidence), "[]")
			if f.Said != "" {
				line("", "  says     "+f.Said, "")
			}
			line("", "  means    "+f.Meaning+orNone(" (requests ", numbers, ")"), "")
			line("", "  fix      "+f.Fix, "")
			line("", "  more     "+f.URL, "")
		}
		switch {
		case len(found) > 0:
		case o.Skipped != "":
			line("skip", o.Property, o.Skipped)
		default:
			line("ok", o.Property, o.Detail)
		}
	}
	if r.Posted > 0 {
		fmt.Fprintf(&b, "\nwhether the work was done once only you can see: %s was posted %d times\n", r.Watched, r.Posted)
	}
	fmt.Fprintf(&b, "\n%d requests, %d of them valid", r.Probes, r.Valid)
	return b.String()
}

func orNone(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
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
			if f.Severity != check.Fail && f.Severity != check.Danger {
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
