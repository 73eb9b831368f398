//go:build unix

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
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

func TestADamagedJournalIsUsedCheckedAndSalvaged(t *testing.T) {
	path, all := damagedJournal(t)
	watch := inPipe(t, watching(t, "--json", "--journal", path))
	url := watch.next("ready")["url"].(string)
	keeps(t, url, delivery{id: "msg_new", body: tells("task-new", "task.progress", time.Now(), feature("proxy", "queued"))})
	watch.signal(syscall.SIGTERM)
	watch.next("end")
	if code := watch.ends(); code != 0 {
		t.Errorf("the watch ended with %d", code)
	}
	says(t, watch.errors(), "is damaged", "aspectop journal salvage")

	out, _, code := finished(t, program(t, "journal", "check", "--journal", path))
	if code != 1 {
		t.Errorf("a check of a damaged journal ended with %d", code)
	}
	says(t, out, "damaged: messages that cannot be read have the numbers", "aspectop journal salvage NEW --journal "+path)
	read, errs, code := finished(t, program(t, "export", "--journal", path))
	if code != 0 {
		t.Errorf("an export ended with %d", code)
	}
	says(t, errs, "is damaged")

	saved := filepath.Join(t.TempDir(), "saved.db")
	out, _, code = finished(t, program(t, "journal", "salvage", saved, "--journal", path))
	if code != 0 {
		t.Errorf("salvaging ended with %d", code)
	}
	rest := strings.Count(read, "\n")
	says(t, out, fmt.Sprintf("saved %d deliveries and 0 repeats to %s; %d could not be read", rest, saved, all+1-rest))
	out, _, code = finished(t, program(t, "journal", "check", "--journal", saved))
	if code != 0 || !strings.Contains(out, "is fine") {
		t.Errorf("a check of what was salvaged ended with %d: %s", code, out)
	}
	again, _, _ := finished(t, program(t, "export", "--journal", saved))
	if again != read {
		t.Error("what was salvaged is not what could be read")
	}
	if _, errs, code := finished(t, program(t, "journal", "salvage", saved, "--journal", path)); code != 1 || !strings.Contains(errs, "already exists") {
		t.Errorf("a second salvage to the same place ended with %d: %s", code, errs)
	}
}

func TestCheckAndSalvageRefuseWhatCannotWork(t *testing.T) {
	none := filepath.Join(t.TempDir(), "journal.db")
	out := filepath.Join(t.TempDir(), "out.db")
	_, _, watch := journalOf(t)
	running := strings.TrimPrefix(watch.cmd.Args[len(watch.cmd.Args)-1], "--journal=")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"journal", "check", "--journal", none}, 3, "there is no journal"},
		{[]string{"journal", "check", "--journal", "postgres://h/d"}, 2, "pg_amcheck"},
		{[]string{"journal", "check", "--journal", "memory"}, 2, "only journals in files"},
		{[]string{"journal", "salvage"}, 2, "name one new file"},
		{[]string{"journal", "salvage", out, "--journal", none}, 3, "no such file"},
		{[]string{"journal", "salvage", out, "--journal", running}, 3, "end that process"},
	} {
		_, errs, code := finished(t, program(t, c.args...))
		if code != c.code || !strings.Contains(errs, c.says) {
			t.Errorf("%q ended with %d: %s", c.args, code, errs)
		}
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}
