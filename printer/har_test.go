package printer

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodeProgram is the path of node. Without it the test is skipped, or fails if
// ASPECTOP_REQUIRE_NODE is 1.
func nodeProgram(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("node")
	if err != nil {
		lacks(t, "there is no node in PATH")
	}
	return program
}

func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ASPECTOP_REQUIRE_NODE") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// posted is a request that the validator read out of an archive.
type posted struct {
	URL, Text string
	Headers   map[string]string
}

// validated hands the archive to somebody else's validator.
func validated(t *testing.T, archive string) (requests []posted) {
	t.Helper()
	program := nodeProgram(t)
	dir := filepath.Join("testdata", "har-validator")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "har-validator")); err != nil {
		lacks(t, "the validator needs its packages: run npm ci in printer/"+filepath.ToSlash(dir))
	}
	cmd := exec.CommandContext(t.Context(), program, "validate.mjs")
	var complaints bytes.Buffer
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, strings.NewReader(archive), &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("the validator: %v\n%s", err, &complaints)
	}
	for line := range strings.Lines(string(out)) {
		var p posted
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		requests = append(requests, p)
	}
	return requests
}

func TestAnArchiveIsValidHAR(t *testing.T) {
	j := kept()
	text, _ := exported(t, j, ExportOptions{Format: "har"})
	requests := validated(t, text)
	if len(requests) != 5 {
		t.Fatalf("%d requests, want 5", len(requests))
	}
	if r := requests[0]; r.Text != string(j.kept[0].Body) || r.Headers["Svix-Signature"] != "v1,abc" || r.URL != "http://127.0.0.1:8787/webhooks/aspect" {
		t.Errorf("the first request is %+v", r)
	}
	if raw, err := base64.StdEncoding.DecodeString(requests[2].Text); err != nil || !bytes.Equal(raw, j.kept[2].Body) {
		t.Errorf("a body that is no text became %q", requests[2].Text)
	}
}

func TestAnEmptyArchiveIsValidHAR(t *testing.T) {
	text, _ := exported(t, new(memory), ExportOptions{Format: "har"})
	if requests := validated(t, text); requests != nil {
		t.Errorf("requests out of nothing: %v", requests)
	}
}
