package sqlite

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
)

func mustCheck(t testing.TB, path string) *Checked {
	t.Helper()
	found, err := Check(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestACheckFindsAHealthyJournalFineAlsoWhileItIsWritten(t *testing.T) {
	file, kept := sampleJournal(t)
	path := damaging(t, map[string][]byte{"": file})
	found := mustCheck(t, path)
	if len(found.Damage) > 0 || found.Deliveries != 216 || found.Repeats != 4 || found.First != 1 || found.Last != int64(len(kept)) {
		t.Errorf("%+v", found)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, file) {
		t.Errorf("the file was changed (%v)", err)
	}
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_new", "{}"))
	if found := mustCheck(t, path); len(found.Damage) > 0 || found.Last != int64(len(kept)+1) {
		t.Errorf("while it is written: %+v", found)
	}
}

func TestACheckFindsWhatRetentionRemovedFine(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	for n := range 20 {
		d := marked(n, 100)
		d.Received = received.Add(time.Duration(n) * time.Hour)
		mustAppend(t, j, d)
	}
	j.Close()
	now := received.Add(20 * time.Hour)
	j = mustOpenUnkept(t, path, journal.Options{Retain: 10 * time.Hour, Now: func() time.Time { return now }})
	if err := j.retain(); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, marked(20, 100))
	j.Close()
	if found := mustCheck(t, path); len(found.Damage) > 0 || found.First != 11 {
		t.Errorf("%+v", found)
	}
	// A copy has the same gaps.
	copied := mustOpen(t, newPath(t), journal.Options{})
	if err := journal.Copy(t.Context(), mustRead(t, path), copied, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if found := mustCheck(t, copied.Place()); len(found.Damage) > 0 {
		t.Errorf("a copy: %+v", found)
	}
}

func TestACheckFindsEveryDamagedPage(t *testing.T) {
	file, _ := sampleJournal(t)
	// A page of a body has nothing that could be checked but where it goes on.
	overflows := func(at int) bool {
		return at > 0 && file[at] != interiorPage && file[at] != leafPage && file[at] != 0x0a && file[at] != 0x02
	}
	for at := 0; at < len(file); at += pageSize {
		damaged := bytes.Clone(file)
		copy(damaged[at:], bytes.Repeat([]byte{0xa5}, 200))
		path := damaging(t, map[string][]byte{"": damaged})
		if at == 0 {
			if _, err := Check(t.Context(), path); !errors.Is(err, Foreign) {
				t.Errorf("without its start: %v", err)
			}
			continue
		}
		found := mustCheck(t, path)
		if len(found.Damage) == 0 && !overflows(at) {
			t.Errorf("page %d was damaged, and nothing is said", at/pageSize+1)
		}
	}
}

func TestACheckNamesTheNumbersThatAreMissingOrUnreadable(t *testing.T) {
	file, _ := sampleJournal(t)
	for change, want := range map[string]string{
		"DELETE FROM deliveries WHERE seq = 30":                       "nothing under number 30,",
		"DELETE FROM deliveries WHERE seq IN (30, 31)":                "nothing under numbers 30 to 31,",
		"UPDATE deliveries SET received = 'yesterday' WHERE seq = 33": "number 33 cannot be read",
	} {
		path := damaging(t, map[string][]byte{"": file})
		execute(t, path, change)
		if found := mustCheck(t, path); len(found.Damage) != 1 || !strings.Contains(found.Damage[0], want) {
			t.Errorf("%s: it says %q, not %q", change, found.Damage, want)
		}
	}
}

func TestACheckFindsALogThatWouldBeDropped(t *testing.T) {
	file, log, _ := loggedJournal(t)
	copy(log[len(log)/2:], "damage")
	found := mustCheck(t, damaging(t, map[string][]byte{"": file, "-wal": log}))
	if text := strings.Join(found.Damage, "\n"); !strings.Contains(text, "would be dropped") {
		t.Errorf("it says %q", text)
	}
}

func TestACheckOfNothingSaysSo(t *testing.T) {
	if _, err := Check(t.Context(), newPath(t)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
