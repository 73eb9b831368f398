package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aspectop/journal"
	"aspectop/private"
)

// refused wants that neither a writer nor a reader opens the file, both for the
// same reason, and that it stays as it is.
func refused(t *testing.T, kind Kind, path string, says ...string) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, writing := Open(path, journal.Options{})
	_, reading := OpenReader(path)
	for i, err := range []error{writing, reading} {
		if i == 1 && kind == Corrupt {
			kind = Foreign // there is nothing that check and copy could read
		}
		if !errors.Is(err, kind) {
			t.Errorf("%T: %v", err, err)
			continue
		}
		for _, say := range append(says, path) {
			if !strings.Contains(err.Error(), say) {
				t.Errorf("%q does not say %q", err, say)
			}
		}
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed (%v)", err)
	}
}

// execute changes a file as somebody with sqlite3 could.
func execute(t *testing.T, path, text string) {
	t.Helper()
	s, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if _, err := s.exec(text); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	for _, text := range []string{"x", "This is no database.\n", strings.Repeat("no database ", 10_000)} {
		path := filepath.Join(t.TempDir(), "notes.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, Foreign, path, "nothing was changed", "--journal")
	}
}

func TestAnotherProgramsDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "places.sqlite")
	execute(t, path, "CREATE TABLE places (url TEXT)")
	refused(t, Foreign, path, "another program's")
}

func TestADamagedJournalIsRefused(t *testing.T) {
	filled := func() (string, []byte) {
		path := newPath(t)
		j := mustOpen(t, path, journal.Options{})
		for i := range 100 {
			mustAppend(t, j, delivery(fmt.Sprint("msg_", i), strings.Repeat("x", 1000)))
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return path, file
	}
	t.Run("cut off", func(t *testing.T) {
		path, file := filled()
		if err := os.WriteFile(path, file[:len(file)/2+77], 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, Corrupt, path)
	})
	t.Run("schema overwritten", func(t *testing.T) {
		path, file := filled()
		clear(file[100:4000])
		copy(file[100:], "garbage")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, Corrupt, path)
	})
}

func TestADamagedRowRefusesNoStartAndIsToldAndTheRestGoesOn(t *testing.T) {
	file, kept := sampleJournal(t)
	at := bytes.Index(file, []byte(mark(100))) / pageSize * pageSize
	copy(file[at:], bytes.Repeat([]byte{0xff}, 64))
	rest := without(kept, touched(file, at, at+pageSize))
	path := damaging(t, map[string][]byte{"": file})
	j := mustOpen(t, path, journal.Options{Retain: time.Nanosecond})
	next := mustAppend(t, j, delivery("msg_new", "{}"))
	if next.Seq != int64(len(kept)+1) {
		t.Errorf("the next number is %d", next.Seq)
	}
	again := mustAppend(t, j, delivery(kept[0].ID, string(kept[0].Body)))
	if again.Message != 1 {
		t.Errorf("a repeat is taken for %+v", again)
	}
	told := make(chan error, 10)
	j.OnDamage(func(err error) { told <- err })
	var err error
	select {
	case err = <-told:
	case <-time.After(time.Minute):
		t.Fatal("it says nothing")
	}
	if !errors.Is(err, Damaged) || !strings.Contains(err.Error(), "journal check") || !strings.Contains(err.Error(), "journal copy") {
		t.Errorf("it says %v", err)
	}
	r, err := j.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := r.After(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, "forwards", got[:len(got)-2], rest, kept)
	back, err := r.Before(t.Context(), math.MaxInt64, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Reverse(back); !reflect.DeepEqual(got, back) {
		t.Errorf("forwards %d, backwards %d", len(got), len(back))
	}
	for seq := range touched(file, at+64, at+pageSize) {
		if _, err := r.Get(t.Context(), seq); !errors.Is(err, journal.ErrDamaged) {
			t.Errorf("the damaged %d: %v", seq, err)
		}
	}
	if first, last, err := r.Range(t.Context()); first != got[0].Seq || last != again.Seq || err != nil {
		t.Errorf("from %d to %d, %v", first, last, err)
	}
	if seq, err := r.Since(t.Context(), received.Add(time.Hour)); seq != again.Seq || err != nil {
		t.Errorf("since: %d, %v", seq, err)
	}
	if found, err := r.Repeats(t.Context(), 1); len(found) != 1 || err != nil {
		t.Errorf("repeats: %v, %v", found, err)
	}
}

func TestWhereTheNextNumberCannotBeKnownNothingIsAcknowledged(t *testing.T) {
	file, _ := sampleJournal(t)
	last := bytes.LastIndex(file, []byte(mark(219)))
	at := last / pageSize * pageSize
	clear(file[at : at+pageSize])
	path := damaging(t, map[string][]byte{"": file})
	j := mustOpen(t, path, journal.Options{})
	if err := j.Append(t.Context(), delivery("msg_new", "{}")); !errors.Is(err, Damaged) {
		t.Errorf("an append is answered %v", err)
	}
	if found, _ := readable(t, mustRead(t, path)); len(found) < 100 {
		t.Errorf("%d can be read", len(found))
	}
}

func TestAJournalOfALaterVersionIsRefused(t *testing.T) {
	path := newPath(t)
	mustOpen(t, path, journal.Options{}).Close()
	execute(t, path, "PRAGMA user_version = 3")
	refused(t, Newer, path, "format 3", "update aspectop")
}

func TestAnEmptyFileIsTakenAsNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReader(path); err == nil || !strings.Contains(err.Error(), "nothing has been written") {
		t.Errorf("reading: %v", err)
	}
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
}

func TestAMissingJournalIsNotMadeByAReader(t *testing.T) {
	path := newPath(t)
	_, err := OpenReader(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "aspectop watch") {
		t.Error(err)
	}
	if _, err := os.Lstat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder: %v", err)
	}
}

func TestSymbolicLinksAreRefusedAsFilesAndFollowedAsFolders(t *testing.T) {
	folder := t.TempDir()
	real := filepath.Join(folder, "real")
	mustOpen(t, filepath.Join(real, "journal.db"), journal.Options{}).Close()

	linked := filepath.Join(folder, "linked")
	if err := os.Symlink(real, linked); err != nil {
		t.Skip("links cannot be made here:", err)
	}
	path := filepath.Join(linked, "journal.db")
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	mustRead(t, path)
	j.Close()

	var unsafe *private.UnsafeError
	for _, ending := range []string{"", ".lock", "-wal", "-shm"} {
		path := filepath.Join(t.TempDir(), "journal.db")
		mustOpen(t, path, journal.Options{}).Close()
		target := filepath.Join(folder, "target"+ending)
		if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Remove(path + ending)
		if err := os.Symlink(target, path+ending); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, journal.Options{}); !errors.As(err, &unsafe) || unsafe.Path != path+ending || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%q linked, writing: %v", ending, err)
		}
		if ending != ".lock" {
			if _, err := OpenReader(path); !errors.As(err, &unsafe) {
				t.Errorf("%q linked, reading: %v", ending, err)
			}
		}
		if text, err := os.ReadFile(target); string(text) != "precious" {
			t.Errorf("%q linked: the target was changed (%v)", ending, err)
		}
	}
	// A dangling link is one as well.
	path = filepath.Join(t.TempDir(), "journal.db")
	os.Symlink(filepath.Join(folder, "nowhere"), path)
	if _, err := Open(path, journal.Options{}); !errors.As(err, &unsafe) {
		t.Errorf("dangling link: %v", err)
	}
}

func TestACopyOfAJournalUnderWayIsReadWithItsLog(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	mustAppend(t, j, delivery("msg_1", "{}"))
	copied := filepath.Join(t.TempDir(), "journal.db")
	for _, ending := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + ending)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+ending, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if d, err := mustRead(t, copied).Get(context.Background(), 1); err != nil || d.ID != "msg_1" {
		t.Errorf("%v, %v", d, err)
	}
}

func TestCallsAfterCloseFail(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path, journal.Options{})
	r := mustRead(t, path)
	for range 2 {
		if err := errors.Join(j.Close(), r.Close()); err != nil {
			t.Error(err)
		}
	}
	if err := j.Append(t.Context(), delivery("msg_1", "{}")); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
	if _, err := r.After(t.Context(), 0, 1); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
	if _, err := r.Since(t.Context(), received); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
}
