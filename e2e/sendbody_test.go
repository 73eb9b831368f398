//go:build unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file writes a file of the test.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// odd is a body with what re-serialising would change.
const odd = "{ \"z\":12345678901234567890, \"user_id\" : \"u\\u0031\",\n\t\"event_type\":\"task.failed\",\"data\":{\"task\":{\"id\":\"t1\", \"asset_id\":\"a1\",\"features\":{},\"x\":\"</é\"}} }\n"

func TestABodyOfOnesOwnIsSentAsItIs(t *testing.T) {
	h := newHandler(t, nil)
	source := file(t, "event.json", odd)
	big := file(t, "big.json", `"`+strings.Repeat("x", 1<<20)+`"`)
	editor := "EDITOR=" + file(t, "editor", "#!/bin/sh\neval \"$EDIT\"\n")
	for _, c := range []struct {
		name  string
		args  []string
		stdin string
		edit  string
		want  string
		says  []string
		code  int
	}{
		{name: "file", args: []string{"--body", source}, want: odd},
		{name: "standard input", args: []string{"--body", "-"}, stdin: odd, want: odd},
		{name: "no JSON", args: []string{"--body", "-"}, stdin: "{not json\r\n", want: "{not json\r\n", says: []string{"not JSON", "sent as it is"}},
		{name: "nothing", args: []string{"--body", "/dev/null"}, want: "", says: []string{"not JSON"}},
		{name: "large", args: []string{"--body", big}, want: `"` + strings.Repeat("x", 1<<20) + `"`, says: []string{"1048578 bytes", "1 MiB"}},
		{name: "set", args: []string{"--body", source, "--set", "data.task.asset_id=007", "--set", "data.tags.0=98765432109876543210", "--set", "z=[1, 2]"},
			want: strings.NewReplacer(`"a1"`, `"007"`, `"</é"}}`, `"</é"},"tags":[98765432109876543210]}`, "12345678901234567890", "[1, 2]").Replace(odd)},
		{name: "asset, user, name, task and feature", args: []string{"--body", source, "--asset", "7", "--user", "me", "--name", "a.mp4", "--task", "t2", "--feature", "visual=failed"},
			want: strings.NewReplacer(`"a1"`, `"7"`, `"u\u0031"`, `"me"`, `"t1"`, `"t2"`, "{},", `{"visual":{"state":"failed"}},`, `"</é"}`, `"</é","user_id":"me","name":"a.mp4"}`).Replace(odd)},
		{name: "unchanged in the editor", args: []string{"--body", source, "--edit"}, edit: `test -z "$ASPECT_WEBHOOK_SECRET"`, want: odd},
		{name: "edited", args: []string{"--body", source, "--edit"}, edit: `sed -i s/a1/a2/ "$1"`,
			want: `{"z":12345678901234567890,"user_id":"u\u0031","event_type":"task.failed","data":{"task":{"id":"t1","asset_id":"a2","features":{},"x":"</é"}}}`},
		{name: "edited to no JSON", args: []string{"--body", source, "--edit"}, edit: `echo '{' > "$1"`, want: "{", says: []string{"not JSON"}},
		{name: "emptied", args: []string{"--body", source, "--edit"}, edit: `: > "$1"`, code: 1, says: []string{"empty", "nothing was sent"}},
		{name: "failed editor", args: []string{"--body", source, "--edit"}, edit: "exit 3", code: 1, says: []string{"exit status 3", "nothing was sent"}},
		{name: "type beside", args: []string{"task.failed", "--body", source}, code: 2, says: []string{"--body", "task.failed"}},
		{name: "scenario beside", args: []string{"--scenario", "upload", "--body", source}, code: 2, says: []string{"--scenario", "--body"}},
		{name: "edited scenario", args: []string{"--scenario", "upload", "--set", "a=1"}, code: 2, says: []string{"--scenario", "--set"}},
		{name: "no file", args: []string{"--body", "/nowhere"}, code: 2, says: []string{"/nowhere"}},
		{name: "no path", args: []string{"--body", source, "--set", "data..x=1"}, code: 2, says: []string{"--set", "data..x=1"}},
		{name: "path through a string", args: []string{"--body", source, "--set", "data.task.id.x=1"}, code: 2, says: []string{"--set data.task.id.x", `"t1"`}},
		{name: "path in no JSON", args: []string{"--body", "-", "--set", "a=1"}, stdin: "hello", code: 2, says: []string{"--set a", "not JSON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(h.ids())
			cmd := with(program(t, append([]string{"send", "--to", h.URL}, c.args...)...), "ASPECT_WEBHOOK_SECRET="+secret, editor, "VISUAL=", "EDIT="+c.edit)
			cmd.Stdin = strings.NewReader(c.stdin)
			stdout, stderr, code := finished(t, cmd)
			if says(t, stderr, c.says...); code != c.code {
				t.Fatalf("ended with %d: %s%s", code, stdout, stderr)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			switch sent := h.body[before:]; {
			case c.code != 0 && len(sent) > 0:
				t.Errorf("sent %q", sent)
			case c.code == 0 && (len(sent) != 1 || sent[0] != c.want):
				t.Errorf("sent\n%.300q, not\n%.300q", sent, c.want)
			case c.code == 0 && len(c.says) == 0 && stderr != "":
				t.Errorf("said %s", stderr)
			}
		})
	}
}

func TestWhatIsSentIsSignedAsItWasChanged(t *testing.T) {
	_, url, watch := journalOf(t)
	stdout, stderr, code := sending(t, "task.failed", "--to", url, "--task", upload, "--asset", "mine", "--user", "me", "--set", "data.task.features.visual.state=completed")
	if says(t, stdout, "sent task.failed of task "+upload, "answered 204"); code != 0 {
		t.Errorf("ended with %d: %s", code, stderr)
	}
	if e := watch.next("event"); e["asset_id"] != "mine" || e["task"].(map[string]any)["features"].(map[string]any)["visual"] != "completed" {
		t.Errorf("the receiver saw %v", e)
	}
}
