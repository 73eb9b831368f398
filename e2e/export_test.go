//go:build unix

package e2e

import (
	"strings"
	"testing"
)

func TestAnExportHoldsWhatWasReceived(t *testing.T) {
	deliveries := some()
	journal, _, _ := journalOf(t, deliveries...) // the watch still writes it
	stdout, stderr, code := finished(t, program(t, "export", "--journal", journal))
	if code != 0 || stderr != "" {
		t.Fatalf("ended with %d: %s", code, stderr)
	}
	l := lines(t, stdout)
	if len(l) != len(deliveries) {
		t.Fatalf("%d lines of %d deliveries", len(l), len(deliveries))
	}
	for i, d := range deliveries {
		if l[i]["type"] != "delivery" || l[i]["id"] != d.id || l[i]["body"] != d.body || l[i]["headers"].(map[string]any)["Svix-Id"].([]any)[0] != d.id {
			t.Errorf("delivery %s became %v", d.id, l[i])
		}
	}
	for args, want := range map[string]int{
		"--filter state:failed": 2, "--filter became:failed,cancelled": 1, "--filter task:7b00": 1, "--since 1h": 4, "--since 2100-01-01T00:00:00Z": 0, "--filter is:done": 3, "--json": 4,
	} {
		stdout, stderr, code := finished(t, program(t, append([]string{"export", "--journal", journal}, strings.Fields(args)...)...))
		if got := len(lines(t, stdout)); got != want || code != 0 {
			t.Errorf("export %s wrote %d lines, want %d, and ended with %d: %s", args, got, want, code, stderr)
		}
	}
}

func TestAnExportTellsNoCredentialsAndOnDemandNoUsers(t *testing.T) {
	journal, url, _ := journalOf(t)
	const user = "3f5d7e38-8c7c-4a22-9a7d-5702a8c3a111"
	authorized := strings.Replace(url, "http://", "http://me:hush@", 1)
	keeps(t, authorized, some()[0])
	for _, format := range []string{"ndjson", "har", "curl", "fixture", "html"} {
		stdout, _, code := finished(t, program(t, "export", "--journal", journal, "--format", format, "--redact"))
		if code != 0 || stdout == "" || strings.Contains(stdout, "bWU6aHVzaA") || strings.Contains(stdout, user) {
			t.Errorf("--format %s --redact ended with %d and wrote %s", format, code, stdout)
		}
	}
	stdout, _, _ := finished(t, program(t, "export", "--journal", journal, "--with-credentials"))
	says(t, stdout, "bWU6aHVzaA", user)
}

func TestAnExportThatNobodyReadsEndsQuietly(t *testing.T) {
	var deliveries []delivery
	for i := range 200 { // more than a pipe holds
		deliveries = append(deliveries, delivery{id: "msg_" + strings.Repeat("x", i), body: `{"pad":"` + strings.Repeat("x", 1000) + `"}`})
	}
	journal, _, _ := journalOf(t, deliveries...)
	p := inPipe(t, program(t, "export", "--journal", journal))
	p.stdout.Close()
	if code := p.ends(); code != 0 || p.errors() != "" {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
}

func TestExportRefusesWhatCannotWork(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--format", "xml"}, "ndjson, har, curl, fixture, html"},
		{[]string{"--format", "fixture", "--lang", "cobol"}, "go or node"},
		{[]string{"--lang", "node"}, "--format fixture"},
		{[]string{"--format", "har", "--json"}, "cannot be used together"},
		{[]string{"--format", "html", "--to", "http://localhost:1"}, "--to"},
		{[]string{"--format", "html", "--with-credentials"}, "--with-credentials"},
		{[]string{"--filter", "stat:failed"}, "stat:failed"},
		{[]string{"everything"}, `"everything"`},
	} {
		stdout, stderr, code := finished(t, program(t, append([]string{"export"}, c.args...)...))
		if code != 2 || stdout != "" {
			t.Errorf("export %q ended with %d and wrote %q", c.args, code, stdout)
		}
		says(t, stderr, c.says)
	}
}
