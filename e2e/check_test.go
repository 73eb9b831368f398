//go:build unix

package e2e

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	svix "github.com/svix/svix-webhooks/go"
)

// checking is check with the secret of the tests.
func checking(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return finished(t, with(program(t, append([]string{"check"}, args...)...), "ASPECT_WEBHOOK_SECRET="+secret, "TOKEN=tok-4711-of-mine"))
}

// verifier is a handler that verifies what do makes of a body.
func verifier(t *testing.T, do func(body []byte) []byte) *httptest.Server {
	t.Helper()
	hook, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if hook.Verify(do(b), r.Header) != nil {
			http.Error(w, "Invalid signature "+r.Header.Get("X-Tenant")+r.Header.Get("Authorization")+r.Header.Get("svix-signature"), 400)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func asSent(b []byte) []byte { return b }

func TestARightHandlerPassesTheCheck(t *testing.T) {
	h := verifier(t, asSent)
	report := filepath.Join(t.TempDir(), "check.xml")
	stdout, stderr, code := checking(t, strings.TrimPrefix(h.URL, "http://")+"/hook", "--junit", report)
	says(t, stdout, "posting at most 100 requests to http://127.0.0.1:", "/hook, at most 60 of them valid", "00000000-0000-4000-8000-00000000c4ec",
		"\nok      accepts a valid message", "\nok      verifies the bytes that arrived", "only you can see", "0 problems. Exit code 0.")
	if code != 0 || stderr != "" {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	if cases := junit(t, report); len(cases) != 12 || slices.ContainsFunc(cases, func(c junitCase) bool { return c.Failure != nil }) || cases[11].Skipped == nil {
		t.Errorf("the report has %+v", cases)
	}
}

type junitCase struct {
	Name    string `xml:"name,attr"`
	Failure *struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	} `xml:"failure"`
	Skipped *struct{} `xml:"skipped"`
}

func junit(t *testing.T, path string) []junitCase {
	t.Helper()
	var suite struct {
		Cases []junitCase `xml:"testcase"`
	}
	text, err := os.ReadFile(path)
	if err == nil {
		err = xml.Unmarshal(text, &suite)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return suite.Cases
}

func TestAMistakenHandlerIsProvedSoInLinesOfJSON(t *testing.T) {
	h := verifier(t, func(b []byte) []byte { // as a parser and a writer of minimal JSON
		var compact bytes.Buffer
		if json.Compact(&compact, b) != nil {
			return b
		}
		return compact.Bytes()
	})
	report := filepath.Join(t.TempDir(), "check.xml")
	stdout, stderr, code := checking(t, h.URL, "--json", "--junit", report, "--header", "X-Tenant: acme-corp", "--header-env", "Authorization=TOKEN")
	if says(t, stderr, "posting at most 100", `{"error":{"code":"failed"`); code != 1 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	documented := documentedKeys(t)
	documented["end"] = []string{"type", "time", "probes", "valid", "findings", "complete"}
	seen := map[string]int{}
	for line := range strings.Lines(stdout) {
		l := lines(t, line)[0]
		kind := l["type"].(string)
		seen[kind]++
		if got := keysOf(t, line); !slices.Equal(got, documented[kind]) {
			t.Errorf("a line of type %s has the keys %q, documented %q", kind, got, documented[kind])
		}
		switch kind {
		case "finding":
			if l["code"] != "reserialised" || l["form"] != "minimal_json" || l["severity"] != "fail" || len(l["evidence"].([]any)) < 3 || l["url"] != "docs/check.md#reserialised" {
				t.Errorf("it found %s", line)
			}
		case "end":
			if l["complete"] != true || l["findings"].(map[string]any)["fail"] != 1.0 || l["probes"] != float64(seen["probe"]) {
				t.Errorf("it ended with %s after %d", line, seen["probe"])
			}
		}
	}
	if seen["finding"] != 1 || seen["end"] != 1 || seen["probe"] < 20 {
		t.Errorf("%v in %s", seen, stdout)
	}
	for _, text := range []string{"acme-corp", "tok-4711", secret[6:], "v1,A"} {
		if strings.Contains(stdout+stderr, text) {
			t.Errorf("%s is in the output", text)
		}
	}
	says(t, stdout, "[redacted]")
	cases := junit(t, report)
	i := slices.IndexFunc(cases, func(c junitCase) bool { return c.Failure != nil })
	if i < 0 || cases[i].Failure.Type != "reserialised" || !strings.Contains(cases[i].Failure.Text, "docs/check.md#reserialised") {
		t.Errorf("the report has %+v", cases)
	}
}

func TestCheckRefusesWhatCannotWork(t *testing.T) {
	const url = "http://127.0.0.1:1/hook"
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "no URL"},
		{[]string{url, "again"}, 2, "again"},
		{[]string{"3000"}, 2, ":3000"},
		{[]string{"ftp://127.0.0.1/"}, 2, "http://"},
		{[]string{"http://me:pass@127.0.0.1:1/"}, 2, "header-env"},
		{[]string{url, "--header", "Authorization: Bearer abc"}, 2, "header-env"},
		{[]string{url, "--header", "cookie: a=b"}, 2, "header-env"},
		{[]string{url, "--header", "X-Api-Key: 1"}, 2, "header-env"},
		{[]string{url, "--header", "X-Id: sk_live_51H8abcdEFGH1234"}, 2, "header-env"},
		{[]string{url, "--header", "X-Id: eyJhbGciOiJIUzI1NiJ9.e30.abc"}, 2, "header-env"},
		{[]string{url, "--header", "svix-id: x"}, 2, "Svix-Id"},
		{[]string{url, "--header", "Host: x"}, 2, "Host"},
		{[]string{url, "--header", "nothing"}, 2, "Name: value"},
		{[]string{url, "--header-env", "X-A=UNSET_HERE"}, 2, "empty"},
		{[]string{url, "--secret-env", "OTHER"}, 2, "OTHER"},
		{[]string{url, "--timeout", "5m"}, 2, "at most 2m"},
		{[]string{url, "--timeout", "0"}, 2, "at most 2m"},
		{[]string{url, "--observe-timeout", "0"}, 2, "--observe-timeout"},
		{[]string{url, "--secret-file", "/does/not/exist"}, 2, "/does/not/exist"},
		{[]string{"http://192.0.2.1/hook"}, 2, "--yes"},
		{[]string{"http://169.254.169.254/hook"}, 2, "--yes"},
		{[]string{url}, 3, "nothing listens"},
	} {
		stdout, stderr, code := checking(t, c.args...)
		if code != c.code {
			t.Errorf("check %q ended with %d, not %d: %s", c.args, code, c.code, stderr)
		}
		says(t, stderr, c.says)
		for _, secret := range []string{"Bearer abc", "sk_live_", "eyJh", "me:pass"} {
			if strings.Contains(stdout+stderr, secret) {
				t.Errorf("check %q shows it: %s", c.args, stderr)
			}
		}
	}
}

func TestACommandSaysHowOftenTheWorkWasDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var asked atomic.Int32
	h := verifier(t, func(b []byte) []byte { asked.Add(1); return b })
	for script, want := range map[string]struct {
		code int
		says string
	}{
		`case "$1" in msg_*) echo 1;; esac`: {0, "does the work of a message once"},
		`echo 7`:                            {1, "more than once"},
		`echo 0`:                            {1, "does not do the work"},
		`echo nothing`:                      {3, "no number"},
		`echo "no table" >&2; exit 4`:       {3, "no table"},
		`test -z "$ASPECT_WEBHOOK_SECRET$TOKEN" && echo 1`: {0, "does the work"},
	} {
		path := filepath.Join(dir, "times.sh")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		stdout, stderr, code := checking(t, h.URL, "--observe", path, "--observe-timeout", "2s", "--header-env", "X-Token=TOKEN")
		if says(t, stdout+stderr, want.says); code != want.code {
			t.Errorf("%s: ended with %d, not %d: %s", script, code, want.code, stderr)
		}
	}
}

func TestACheckCanBeInterruptedAndTimesOut(t *testing.T) {
	var n atomic.Int32
	hold := make(chan struct{})
	h := newHandler(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		if n.Add(1) > 5 {
			<-hold
		}
	})
	defer close(hold)
	p := inPipe(t, with(program(t, "check", h.URL, "--json"), "ASPECT_WEBHOOK_SECRET="+secret))
	for range 5 {
		p.next("probe")
	}
	p.signal(syscall.SIGINT)
	if l := p.next("finding"); l["code"] != "no_verification" {
		t.Errorf("it found %v", l)
	}
	if l := p.next("end"); l["complete"] != false {
		t.Errorf("it ended with %v", l)
	}
	if code := p.ends(); code != 130 {
		t.Errorf("ended with %d: %s", code, p.errors())
	}
	_, stderr, code := checking(t, h.URL, "--timeout", "200ms")
	if says(t, stderr, "timed out after 200ms"); code != 124 {
		t.Errorf("ended with %d", code)
	}
}
