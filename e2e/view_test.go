//go:build unix

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestSeveralViewsFollowTheJournalOfAWatch(t *testing.T) {
	journal, url, watch := journalOf(t, some()...)
	first := inTerminal(t, 100, 24, program(t, "view", "--journal", journal, "--reduced-motion"))
	second := inTerminal(t, 80, 24, program(t, "view", "--journal", journal, "--filter", "state:failed"))
	third := inPipe(t, program(t, "view", "--journal", journal, "--json"))
	first.shows("viewing", "2 tasks", "2e1c7e42", "7b00c1de")
	second.shows("2e1c7e42", "1 shown")
	if ready := third.next("ready"); ready["url"] != nil || ready["journal"] != journal {
		t.Errorf("the ready line of a view is %v", ready)
	}

	keeps(t, url, delivery{id: "msg_9", body: tells("99999999-4f8d-4e10-8d7a-0a6c0d3b1234", "task.failed", time.Now(), feature("visual", "failed"))})
	first.shows("3 tasks", "99999999")
	second.shows("2 shown")
	if e := third.next("event"); e["id"] != "msg_9" {
		t.Errorf("a view tells %v", e)
	}

	delivery{id: "msg_forged", body: "{}", key: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}.post(t, url)
	first.press("3")
	first.shows("no secret matches")
	first.press("1")

	// The end of the watch is not the end of a view.
	watch.old()
	first.press("g\r")
	first.shows("99999999-4f8d-4e10-8d7a-0a6c0d3b1234")
	first.press("qq")
	first.ends(0)
	second.signal(syscall.SIGTERM)
	second.ends(0)
	third.signal(syscall.SIGINT)
	if end := third.next("end"); end["verified"] != 1.0 {
		t.Errorf("the end line of a view is %v", end)
	}
	if code := third.ends(); code != 0 {
		t.Errorf("a view ended with %d: %s", code, third.errors())
	}
}

func TestAnOldJournalThatNobodyMayWriteCanBeViewed(t *testing.T) {
	journal, _, watch := journalOf(t, some()...)
	watch.old()
	for _, name := range []string{journal, filepath.Dir(journal)} {
		if err := os.Chmod(name, 0o500); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(journal), 0o700) })
	screen := inTerminal(t, 100, 24, program(t, "view", "--journal", journal))
	screen.shows("2 tasks", "2e1c7e42", "7b00c1de", "no process is writing this journal")
	screen.press("q")
	screen.ends(0)

	view := inPipe(t, program(t, "view", "--journal", journal, "--since", "1h", "--json"))
	for i := range 4 {
		if e := view.next("event"); e["id"] != fmt.Sprint("msg_", i+1) {
			t.Errorf("event %d is %v", i+1, e)
		}
	}
	view.next("ready")
}

func TestATaskIsExportedFromTheScreen(t *testing.T) {
	journal, _, _ := journalOf(t, some()...)
	cmd := program(t, "view", "--journal", journal, "--filter", "task:2e1c")
	cmd.Dir = t.TempDir()
	screen := inTerminal(t, 120, 24, cmd)
	screen.shows("2e1c7e42")
	screen.press("x")
	screen.shows("wrote 2 events to aspectop-2e1c7e42-")
	files, err := filepath.Glob(filepath.Join(cmd.Dir, "aspectop-2e1c7e42-*.html"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the files are %q, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	says(t, string(text), "<h1>Task 2e1c7e42", "msg_2", "verified (secret default)", "</html>")
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is open to others: %v, %v", info.Mode(), err)
	}
	screen.press("q")
	screen.ends(0)
}

func TestAViewOfNothingSaysWhatToDo(t *testing.T) {
	newer := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(newer, []byte(strings.Repeat("no journal ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"view"}, {"view", "--journal", "/nowhere/journal.db"}, {"export"}, {"view", "--journal", newer}, {"wait", "x", "--journal", newer}} {
		stdout, stderr, code := finished(t, program(t, append(args, "--json")...))
		if code != 3 || stdout != "" {
			t.Errorf("%q ended with %d and wrote %q", args, code, stdout)
		}
		says(t, stderr, "journal", `{"error":{"code":"setup_failed"`)
	}
}
