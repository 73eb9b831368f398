package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"aspectop/journal"
)

// traces are the names and sizes of the files beside a journal, and when each
// was last changed.
func traces(t *testing.T, path string) (files string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		files += info.Mode().String() + " " + e.Name() + " " + info.ModTime().String() + "\n"
	}
	return files
}

func TestAnInspectionTellsOfAJournalAndLeavesNoTrace(t *testing.T) {
	path := newPath(t)
	j := mustOpenUnkept(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	last := mustAppend(t, j, delivery("msg_1", "{}")) // a repeat
	check := func(when string) {
		t.Helper()
		before := traces(t, path)
		found, err := Inspect(path)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		if found.Path != path || found.Version != schemaVersion || found.Arrivals != 2 ||
			found.Size < pageSize || !found.Newest.Equal(last.Received) {
			t.Errorf("%s: %+v, the last came %v", when, found, last.Received)
		}
		if after := traces(t, path); after != before {
			t.Errorf("%s, the files were\n%safterwards\n%s", when, before, after)
		}
	}
	check("written")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	check("closed")
}

func TestAnInspectionOfNothingSaysSo(t *testing.T) {
	path := newPath(t)
	if _, err := Inspect(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a journal: %v", err)
	}
	mustOpen(t, path, journal.Options{}).Close()
	if found, err := Inspect(path); err != nil || found.Arrivals != 0 || !found.Newest.IsZero() {
		t.Errorf("without a delivery: %+v, %v", found, err)
	}
	execute(t, path, "PRAGMA user_version = 3")
	if _, err := Inspect(path); !errors.Is(err, Newer) {
		t.Errorf("of a newer version: %v", err)
	}
}

func TestWhetherAJournalCouldBeWrittenIsToldWithoutTrying(t *testing.T) {
	path := newPath(t) // in a folder that is not there
	if err := Writable(path); err != nil {
		t.Errorf("a journal that can be made: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
	mustOpen(t, path, journal.Options{}).Close()
	if err := Writable(path); err != nil {
		t.Errorf("a journal of ours: %v", err)
	}
	if err := Writable(filepath.Join(path, "below", "journal.db")); err == nil {
		t.Error("a journal below a file could be written")
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(Writable(path), ReadOnly) {
		t.Errorf("a read-only journal: %v", Writable(path))
	}
}
