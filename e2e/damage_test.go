//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// damagedJournal is a journal of some deliveries with a page of them overwritten.
func damagedJournal(t *testing.T) (path string, all int) {
	t.Helper()
	const n = 80
	var deliveries []delivery
	for i := range n {
		deliveries = append(deliveries, delivery{
			id: fmt.Sprintf("msg_%03d", i), body: tells(fmt.Sprintf("task-%03d", i), "task.progress", time.Now(), feature("proxy", "queued")),
		})
	}
	path, _, watch := journalOf(t, deliveries...)
	watch.signal(syscall.SIGTERM)
	watch.next("end")
	watch.ends()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const page = 16384
	at := bytes.Index(file, []byte("task-040")) / page * page
	copy(file[at:at+page], bytes.Repeat([]byte("damage"), page))
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, n
}

func TestADamagedJournalIsUsedCheckedAndCopied(t *testing.T) {
	path, all := damagedJournal(t)
	watch := inPipe(t, watching(t, "--json", "--journal", path))
	url := watch.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_new", body: tells("task-new", "task.progress", time.Now(), feature("proxy", "queued"))})
	watch.signal(syscall.SIGTERM)
	watch.next("end")
	if code := watch.ends(); code != 0 {
		t.Errorf("the watch ended with %d", code)
	}
	says(t, watch.errors(), "is damaged", "aspectop journal check", "aspectop journal copy")
	if said := strings.Count(watch.errors(), "is damaged"); said != 1 {
		t.Errorf("the watch says %d times that it is damaged:\n%s", said, watch.errors())
	}

	out, _, code := finished(t, program(t, "journal", "check", "--journal", path))
	if code != 1 {
		t.Errorf("a check of a damaged journal ended with %d", code)
	}
	says(t, out, "damaged: SQLite: ", "damaged: numbers ", "cannot be read", "aspectop journal copy "+path+" NEW")
	read, errs, code := finished(t, program(t, "export", "--journal", path))
	if code != 0 {
		t.Errorf("an export ended with %d", code)
	}
	says(t, errs, "is damaged")

	saved := filepath.Join(t.TempDir(), "saved.db")
	out, errs, code = finished(t, program(t, "journal", "copy", path, saved))
	if code != 1 || !strings.Contains(errs, "is damaged") {
		t.Errorf("copying ended with %d: %s", code, errs)
	}
	says(t, out, fmt.Sprintf("copied up to delivery %d to %s", all+1, saved))
	if lost, rest := unreadable(t, out), strings.Count(read, "\n"); lost == 0 || rest != all+1-lost {
		t.Errorf("%d of %d could be read, and it lists\n%s", rest, all+1, out)
	}
	out, _, code = finished(t, program(t, "journal", "check", "--journal", saved))
	if code != 0 || !strings.Contains(out, "is fine") {
		t.Errorf("a check of the copy ended with %d: %s", code, out)
	}
	again, _, _ := finished(t, program(t, "export", "--journal", saved))
	if again != read {
		t.Error("what was copied is not what could be read")
	}
}

// unreadable counts the numbers that a copy lists as unreadable.
func unreadable(t *testing.T, out string) (n int) {
	t.Helper()
	for line := range strings.Lines(out) {
		var first, last int
		switch text, found := strings.CutPrefix(line, "could not be read: number"); {
		case !found:
		case strings.HasPrefix(text, "s "):
			if _, err := fmt.Sscanf(text, "s %d to %d", &first, &last); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			n += last - first + 1
		default:
			n++
		}
	}
	return n
}

func TestAJournalThatIsDamagedAtItsStartIsRefusedAndNotChanged(t *testing.T) {
	path, _ := damagedJournal(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(file[100:], bytes.Repeat([]byte{0xa5}, 2000)) // the schema
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	_, errs, code := finished(t, watching(t, "--json", "--journal", path))
	if code != 3 {
		t.Errorf("the watch ended with %d", code)
	}
	says(t, errs, "nothing was changed", "aspectop journal check", "aspectop journal copy")
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, file) {
		t.Errorf("the file was changed (%v)", err)
	}
}

func TestCheckAndSalvageRefuseWhatCannotWork(t *testing.T) {
	none, notes := filepath.Join(t.TempDir(), "journal.db"), filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, bytes.Repeat([]byte("no database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"journal", "check", "--journal", none}, 3, "there is no journal"},
		{[]string{"journal", "check", "--journal", notes}, 3, "is not a journal"},
		{[]string{"journal", "copy", notes, none}, 3, "is not a journal"},
		{[]string{"export", "--journal", notes}, 3, "is not a journal"},
		{[]string{"view", "--plain", "--journal", notes}, 3, "is not a journal"},
		{[]string{"journal", "check", "--journal", "postgres://h/d"}, 2, "pg_amcheck"},
		{[]string{"journal", "check", "--journal", "memory"}, 2, "only journals in files"},
		{[]string{"journal", "salvage"}, 2, "aspectop journal copy"},
		{[]string{"journal", "salvage", none, "--journal", none}, 2, "aspectop journal copy"},
	} {
		_, errs, code := finished(t, program(t, c.args...))
		if code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%q ended with %d: %s", c.args, code, errs)
		}
	}
}
